"""Words around people's names and addresses, as they are spelled; typed without marks they count too (`Words.has`)."""

from __future__ import annotations

from typing import Self

from bot.languages.normalise import fold


class Words(frozenset[str]):
    """Vietnamese words: one with marks is found as it is spelled, one without marks by its letters alone."""

    bare: frozenset[str]

    def __new__(cls, text: str) -> Self:
        words = super().__new__(cls, text.split())
        words.bare = frozenset(fold(word) for word in words)
        return words

    def has(self, word: str) -> bool:
        lower = word.lower()
        return lower in self or (lower.isascii() and lower in self.bare)


FAMILY_NAMES = Words(
    "nguyễn trần lê phạm hoàng huỳnh phan vũ võ đặng bùi đỗ hồ ngô dương lý đinh đào đoàn lâm mai trịnh trương lương hà cao lưu "
    "châu tạ tô tống la triệu vương quách thái tôn nông mã hứa kiều niê mlô ayun ksơr rmah siu rcom kpă adrơng êban kbuôr ksa "
    "hmok byă knul hđơk rahlan thao giàng vàng lầu lò lù sùng mùa hạng quàng cầm bạc lách sơn danh kim"
)
MIDDLE_NAMES = Words("văn thị")
PRONOUNS = Words("tôi em mình cháu con bé anh chị bà ông cô chú bác mẹ bố cha vợ chồng má người nó tui")
TITLES = Words("ông bà anh chị cô chú bác thầy bé cháu em dì cậu mợ dượng")
# Two words that stand before a name as a title does.
LONGER_TITLES = frozenset(
    {("bac", "si"), ("y", "si"), ("y", "ta"), ("thay", "giao"), ("co", "giao"), ("con", "trai"), ("con", "gai"), ("em", "trai")}
    | {("em", "gai"), ("anh", "trai"), ("chi", "gai"), ("chau", "trai"), ("chau", "gai"), ("ba", "noi"), ("ong", "noi")}
)
# Given names that people type in small letters behind a title ("chị lan"). None that is a verb or the like there ("bảo", "liên").
GIVEN_NAMES = Words(
    "lan hoa hồng huệ hương hường hằng hạnh hiền thảo trang linh ngọc nga thủy thuỷ thúy thuý phương loan tú vy my nhung yến "
    "quỳnh quyên diệp trinh trâm thơm tuyết nguyệt oanh tuấn hùng dũng cường đức hải hiếu huy khánh kiên long minh phong phúc "
    "phước quân tài thắng thịnh tùng vinh việt bình tâm khang duy hưng lộc sơn tuệ vân"
)
# The same typed without marks, behind these titles: the others are other words as often ("co", "anh huong", "minh", "hai tuoi").
BARE_GIVEN_NAMES = Words(
    "lan hoa hue huong hanh hien thao trang linh ngoc nga thuy loan vy nhung quynh diep trinh tuyet nguyet oanh tuan hung huy "
    "khanh vinh khang"
)
BARE_TITLES = Words("chi ong bac chau")
# "chị hoa mắt", "cháu bình thường", "em phong tỏa", "chi lan dau": the second half of another word. Folded.
NO_NAME_BEFORE = Words(
    "an chong dau do dong giai ky luan mat nam nay nhan ninh phan phap phi phuc quan rong sau tao than thuong tien tinh toa "
    "truoc tuc tuoi tuong vat vi vien web"
)
# Such a word ends a name.
NOT_A_NAME = Words(
    "là ở bị sinh tuổi số muốn hỏi xin cho đang có tôi mình và thì mà để đã sẽ được không chưa rồi nay hiện nhà con cháu người "
    "dân quê làm nghề bên tại từ đến về nhờ cần phải vì nên khi nếu như này đó ạ nhé với của cùng trong ngoài trên dưới thuộc "
    "gì ai nào thôn buôn xã phường huyện tỉnh đường gọi điện địa nhiễm mắc dương âm tiêm chích đi vừa mới hôm hết còn chồng vợ "
    "sđt cccd cmnd năm"
)
# Without marks these read as names too, or end none.
MAY_BE_A_NAME_BARE = frozenset("thi hien nhe am duong con mai que ai nao".split())  # noqa: SIM905  a list of words
# Called after somebody, or beginning with a word of addresses, and wanted: what somebody asks about. Folded.
KEPT_NAMES = frozenset(
    f"{first} {last}"
    for first, *others in (
        ("buon", "ma thuot", "me thuot", "ho", "don"),
        ("ha", "noi", "tinh", "nam", "giang", "trung"),
        ("quang", "nam", "ngai", "tri", "binh", "ninh", "xuong"),
        ("bac", "ninh", "giang", "lieu", "kan"),
        ("son", "la", "dong"),
        ("thai", "binh", "nguyen", "lan"),
        ("cao", "bang", "huyet"),
        ("ho", "chi minh"),
        ("vu", "han"),
        ("lam", "dong"),
        ("mai", "son"),
        ("kim", "son"),
        ("trieu", "son"),
        ("le", "loi"),
        ("cam", "thuy"),
        ("vang", "da"),
    )
    for last in others
)
CALLED_AFTER = Words("viện trường ty chợ tp xã huyện tỉnh phường quận trung tâm")
# Where an address without commas ends: a larger place, or the question.
LARGER_PLACES = Words("xã phường huyện quận tỉnh tp thị bị có muốn hỏi cần")
# All that follows up to a comma is the address.
WHOLE_ADDRESS = ("số nhà", "nhà số", "địa chỉ", "thường trú", "tạm trú")
# A name or a number behind it is; behind the second kind only a number ("phòng 302", not "phòng Covid").
NAMED_ADDRESS = ("tổ dân phố", "khu phố", "chung cư", "đường", "buôn", "bon", "làng", "thôn", "xóm", "ấp", "hẻm")
NUMBERED_ADDRESS = ("ngõ", "ngách", "kiệt", "tổ", "phòng", "lô")
# "tiểu đường 4 năm", "huyết áp 150", "cửa ngõ": no address.
NO_ADDRESS_AFTER = Words("tiểu cửa huyết hô")
