"""The second factor: turned on with a code, asked for at each login, never taken twice, and never easier to guess than a password."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pyotp
import pytest
from typer.testing import CliRunner

from bot.cli_operators import app as operator_commands
from bot.database import open_pool
from bot.staff import totp
from bot.staff.accounts import reset
from bot.staff.login import LOCK_FAILURES, LoginRefused, login, login_with_code
from bot.staff.sessions import Rules
from bot.staff.totp import Vault
from tests.office import SECRET, Browser, Office, Server, application, reasons

CODE = "/staff/login/code"


class Phone:
    """The app on the phone; `minutes` moves its clock and ours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = totp._now()
        self.secret = ""
        monkeypatch.setattr(totp, "_now", lambda: self.now)

    def waits(self, seconds: float) -> None:
        self.now = self.now.fromtimestamp(self.now.timestamp() + seconds, self.now.tzinfo)

    def code(self, ahead: int = 0) -> str:
        return pyotp.TOTP(self.secret).generate_otp(int(self.now.timestamp()) // totp.STEP_SECONDS + ahead)


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Phone:
    return Phone(monkeypatch)


def enrols(browser: Browser, phone: Phone, password: str) -> list[str]:
    """The recovery codes of whoever is logged in."""
    browser.sends("/staff/totp/offer", "/staff/totp", password=password)
    phone.secret = spelled(browser)
    page = browser.sends("/staff/totp/confirm", "/staff/totp", code=phone.code())
    assert page.status_code == 200
    return re.findall(r"<li><code>([^<]+)</code>", page.text)


def spelled(browser: Browser) -> str:
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", browser.opens("/staff/totp").text)
    assert found
    return found[1].replace(" ", "")


@pytest.fixture
def enrolled(browser: Browser, office: Office, phone: Phone) -> tuple[str, list[str]]:
    """(password, recovery codes) of an account with a second factor; nobody is logged in."""
    password = office.settles("an", "admin")
    browser.logs_in("an", password)
    codes = enrols(browser, phone, password)
    browser.sends("/staff/logout", "/staff/password")
    phone.waits(60)
    return password, codes


def gives_code(browser: Browser, code: str, **fields: str) -> Any:
    return browser.sends(CODE, code=code, **fields)


def is_in(browser: Browser) -> bool:
    return bool(browser.opens("/staff/password").status_code == 200)


def test_the_password_alone_opens_nothing_and_the_code_leads_on(
    browser: Browser, enrolled: tuple[str, list[str]], phone: Phone, office: Office
) -> None:
    there = browser.logs_in("an", enrolled[0], next="/staff/people")
    assert there.headers["location"] == f"{CODE}?next=/staff/people"
    assert not is_in(browser)
    arrived = gives_code(browser, phone.code(), next="/staff/people")
    assert (arrived.status_code, arrived.headers["location"]) == (303, "/staff/people")
    assert is_in(browser)
    assert office.rows("SELECT * FROM login_steps") == []
    last = office.rows("SELECT detail FROM audit_log WHERE action = 'login' ORDER BY id DESC LIMIT 1")
    assert last[0]["detail"]["second_factor"] == "app"


def test_a_code_opens_once(server: Server, browser: Browser, enrolled: tuple[str, list[str]], phone: Phone) -> None:
    code = phone.code()
    browser.logs_in("an", enrolled[0])
    assert gives_code(browser, code).status_code == 303
    thief = server.visitor()
    thief.logs_in("an", enrolled[0])
    refused = gives_code(thief, code)
    assert (refused.status_code, reasons(refused)) == (401, ["code_wrong"])
    phone.waits(30)
    assert gives_code(thief, phone.code()).status_code == 303, "the next one is another"


def test_the_code_that_turned_it_on_does_not_open_again(browser: Browser, office: Office, phone: Phone) -> None:
    password = office.settles("an")
    browser.logs_in("an", password)
    enrols(browser, phone, password)
    browser.sends("/staff/logout", "/staff/password")
    browser.logs_in("an", password)
    assert reasons(gives_code(browser, phone.code())) == ["code_wrong"]


def test_one_code_given_twice_at_once_opens_once(enrolled: tuple[str, list[str]], phone: Phone, office: Office) -> None:
    async def both() -> list[object]:
        async with open_pool(office.url) as pool:
            steps = [(await login(pool, "an", enrolled[0], None)).token for _ in range(2)]
            given = [login_with_code(pool, Vault(SECRET), step, phone.code(), None) for step in steps]
            return await asyncio.gather(*given, return_exceptions=True)

    assert sorted(type(outcome).__name__ for outcome in asyncio.run(both())) == ["LoginRefused", "str"]


@pytest.mark.parametrize(("ahead", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phones_clock_may_be_half_a_minute_off(phone: Phone, ahead: int, is_right: bool) -> None:
    phone.secret = pyotp.random_base32()
    step = totp._step_of(phone.secret, phone.code(ahead), 0)
    assert (step is not None) is is_right
    assert step is None or totp._step_of(phone.secret, phone.code(ahead), step) is None, "and never again"


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "１２３４５６", "x" * 5000, "0\x00"])
def test_only_six_digits_are_a_code(phone: Phone, code: str) -> None:
    assert totp._step_of("A" * 32, code, 0) is None


def test_what_is_no_code_is_refused_with_a_sentence(browser: Browser, enrolled: tuple[str, list[str]]) -> None:
    browser.logs_in("an", enrolled[0])
    for code in ("000000", "no such code \x00 🙂", "x" * 5000):
        refused = gives_code(browser, code)
        assert (refused.status_code, reasons(refused)) == (401, ["code_wrong"])
    assert not is_in(browser)


def test_a_code_from_paper_opens_once_however_it_is_typed(
    browser: Browser, enrolled: tuple[str, list[str]], office: Office
) -> None:
    password, codes = enrolled
    assert len(set(codes)) == 10
    for given, status in ((codes[0].upper().replace("-", " "), 303), (codes[0], 401), (codes[1], 303)):
        browser.http.cookies.clear()
        browser.logs_in("an", password)
        assert gives_code(browser, given).status_code == status
    assert office.rows("SELECT count(*) AS left FROM recovery_codes") == [{"left": 8}]
    assert "8" in browser.opens("/staff/totp").text


def test_wrong_codes_and_wrong_passwords_lock_the_name_together(
    browser: Browser, enrolled: tuple[str, list[str]], phone: Phone
) -> None:
    browser.logs_in("an", "wrong")
    browser.logs_in("an", enrolled[0])
    for _ in range(LOCK_FAILURES - 1):
        assert gives_code(browser, "000000").status_code == 401
    locked = gives_code(browser, phone.code())
    assert (locked.status_code, reasons(locked)) == (429, ["login_locked"])
    assert reasons(browser.logs_in("an", enrolled[0])) == ["login_locked"]


def test_the_password_gives_no_new_tries_at_the_code(browser: Browser, enrolled: tuple[str, list[str]]) -> None:
    statuses = []
    for _ in range(LOCK_FAILURES):
        browser.logs_in("an", enrolled[0])
        statuses.append(gives_code(browser, "000000").status_code)
    assert statuses == [401] * LOCK_FAILURES
    assert reasons(browser.logs_in("an", enrolled[0])) == ["login_locked"]


def test_the_step_between_lives_five_minutes(
    browser: Browser, enrolled: tuple[str, list[str]], phone: Phone, office: Office
) -> None:
    browser.logs_in("an", enrolled[0])
    office.rows("UPDATE login_steps SET started_at = now() - interval '5 minutes 1 second'")
    over = gives_code(browser, phone.code())
    assert (over.status_code, reasons(over)) == (401, ["step_over"])
    assert browser.opens(CODE).headers["location"] == "/staff/login"


def test_the_step_ends_with_the_account(browser: Browser, enrolled: tuple[str, list[str]], phone: Phone, office: Office) -> None:
    browser.logs_in("an", enrolled[0])
    office.rows("UPDATE operators SET disabled_at = now()")
    assert reasons(gives_code(browser, phone.code())) == ["step_over"]


def test_the_database_holds_neither_secret_nor_recovery_code(
    enrolled: tuple[str, list[str]], phone: Phone, office: Office
) -> None:
    tables = ("operators", "recovery_codes", "login_steps", "audit_log")
    everything = str([office.rows(f"SELECT * FROM {table}") for table in tables])
    assert phone.secret not in everything
    assert all(code not in everything and code.replace("-", "") not in everything for code in enrolled[1])
    assert Vault(SECRET).open(office.rows("SELECT totp_secret FROM operators")[0]["totp_secret"]) == phone.secret
    assert (
        Vault("another key of at least 32 characters").open(office.rows("SELECT totp_secret FROM operators")[0]["totp_secret"])
        is None
    )


def test_turning_it_on_ends_the_sessions_elsewhere(server: Server, browser: Browser, office: Office, phone: Phone) -> None:
    password = office.settles("an")
    other = server.visitor()
    other.logs_in("an", password)
    browser.logs_in("an", password)
    enrols(browser, phone, password)
    assert (is_in(browser), is_in(other)) == (True, False)
    assert office.log("totp_on") == [("an", "totp_on")]


@pytest.mark.parametrize("path", ["offer", "codes", "off"])
def test_an_open_browser_is_not_its_owner(
    browser: Browser, enrolled: tuple[str, list[str]], phone: Phone, office: Office, path: str
) -> None:
    browser.logs_in("an", enrolled[0])
    gives_code(browser, phone.code())
    before = (
        office.rows("SELECT totp_secret, totp_offered FROM operators"),
        office.rows("SELECT * FROM recovery_codes ORDER BY 2"),
    )
    refused = browser.sends(f"/staff/totp/{path}", "/staff/totp", password="wrong")
    assert (refused.status_code, reasons(refused)) == (422, ["password_old_wrong"])
    assert before == (
        office.rows("SELECT totp_secret, totp_offered FROM operators"),
        office.rows("SELECT * FROM recovery_codes ORDER BY 2"),
    )


def test_a_wrong_code_turns_nothing_on(browser: Browser, office: Office, phone: Phone) -> None:
    password = office.settles("an")
    browser.logs_in("an", password)
    assert reasons(browser.sends("/staff/totp/confirm", "/staff/totp", code="123456")) == ["code_wrong"], "nothing was offered"
    browser.sends("/staff/totp/offer", "/staff/totp", password=password)
    phone.secret = spelled(browser)
    refused = browser.sends("/staff/totp/confirm", "/staff/totp", code="000000")
    assert (refused.status_code, reasons(refused)) == (422, ["code_wrong"])
    assert office.rows("SELECT totp_secret FROM operators") == [{"totp_secret": None}]


def test_a_factor_that_is_on_is_not_replaced_by_an_offer(
    browser: Browser, enrolled: tuple[str, list[str]], phone: Phone, office: Office
) -> None:
    browser.logs_in("an", enrolled[0])
    gives_code(browser, phone.code())
    before = office.rows("SELECT totp_secret FROM operators")
    browser.sends("/staff/totp/offer", "/staff/totp", password=enrolled[0])
    assert office.rows("SELECT totp_secret FROM operators WHERE totp_offered IS NULL") == before


def test_new_recovery_codes_end_the_old_ones_and_off_is_off(
    browser: Browser, enrolled: tuple[str, list[str]], phone: Phone, office: Office
) -> None:
    password, old = enrolled
    browser.logs_in("an", password)
    gives_code(browser, phone.code())
    page = browser.sends("/staff/totp/codes", "/staff/totp", password=password)
    new = re.findall(r"<li><code>([^<]+)</code>", page.text)
    assert len(new) == 10
    assert not set(new) & set(old)
    assert browser.sends("/staff/totp/off", "/staff/totp", password=password).status_code == 303
    assert office.rows("SELECT * FROM recovery_codes") == []
    assert browser.logs_in("an", password).headers["location"] == "/staff/start"
    assert office.log("totp_codes_renewed", "totp_off") == [("an", "totp_codes_renewed"), ("an", "totp_off")]


def test_a_reset_takes_it_away_because_the_phone_may_be_lost(
    browser: Browser, enrolled: tuple[str, list[str]], office: Office
) -> None:
    new = office.does(lambda connection: reset(connection, "an", "test"))
    assert browser.logs_in("an", new).headers["location"] == "/staff/start"
    assert office.rows("SELECT totp_secret, totp_step FROM operators") == [{"totp_secret": None, "totp_step": 0}]
    assert office.rows("SELECT * FROM recovery_codes") == []


def test_the_list_tells_who_has_one(enrolled: tuple[str, list[str]], office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_DATABASE_URL", office.url)
    line = next(line for line in CliRunner().invoke(operator_commands, ["list"]).stdout.splitlines() if "an" in line.split())
    assert "on" in line.split()


def test_the_way_to_the_code_without_a_password_is_the_login(browser: Browser) -> None:
    assert browser.opens(CODE).headers["location"] == "/staff/login"
    browser.http.cookies.set("__Host-loa-step", "made-up", domain="loa.test")
    assert reasons(gives_code(browser, "123456")) == ["step_over"]


def test_a_foreign_site_cannot_give_a_code(browser: Browser, enrolled: tuple[str, list[str]], phone: Phone) -> None:
    browser.logs_in("an", enrolled[0])
    assert browser.http.post(CODE, data={"code": phone.code(), "csrf": "0"}).status_code == 403
    assert gives_code(browser, phone.code()).status_code == 303, "the code was not used up"


def test_a_lost_key_says_so_in_the_log_and_opens_nothing(office: Office, enrolled: tuple[str, list[str]], phone: Phone) -> None:
    async def tries() -> None:
        async with open_pool(office.url) as pool:
            step = await login(pool, "an", enrolled[0], None)
            await login_with_code(pool, Vault("another key of at least 32 characters"), step.token, phone.code(), None)

    with pytest.raises(LoginRefused, match="code_wrong"):
        asyncio.run(tries())


# ---- demanded by the province


@pytest.fixture
def strict(office: Office) -> Any:
    running = Server(application(office.url, rules=Rules(totp_roles=frozenset({"admin"}))))
    with running.client:
        yield running.visitor()


def test_a_role_that_needs_it_can_do_nothing_before(strict: Browser, office: Office, phone: Phone) -> None:
    password = office.settles("an", "admin")
    strict.logs_in("an", password)
    assert strict.opens("/staff/people").headers["location"] == "/staff/totp"
    assert strict.opens("/staff/people", headers={"Accept": "application/json"}).status_code == 403
    assert strict.opens("/staff/password").status_code == 200
    enrols(strict, phone, password)
    assert strict.opens("/staff/people").status_code == 200
    refused = strict.sends("/staff/totp/off", "/staff/totp", password=password)
    assert (refused.status_code, reasons(refused)) == (403, ["totp_demanded"])


def test_other_roles_may_do_without(strict: Browser, office: Office) -> None:
    assert strict.logs_in("binh", office.settles("binh", "senior")).status_code == 303
    assert strict.opens("/staff/totp").status_code == 200
    assert is_in(strict)


def test_a_first_password_is_changed_before_the_second_factor(strict: Browser, office: Office) -> None:
    strict.logs_in("an", office.adds("an", "admin"))
    assert strict.opens("/staff/totp").headers["location"] == "/staff/password"
