"""Logging in, staying in, and being put out: against the real database."""

from __future__ import annotations

import asyncio
import re
import time

import psycopg
import pytest

from bot.database import open_pool
from bot.staff import passwords
from bot.staff.accounts import AccountError, Role, accounts, disable, reset
from bot.staff.login import LOCK_FAILURES, LOCK_MINUTES, MOST_FAILURES_OF_ADDRESS, LoginRefused, login
from tests.office import OWN_PASSWORD, Browser, Office, Server, application, reasons


def test_a_right_password_leads_to_the_page_that_was_asked_for(browser: Browser, office: Office) -> None:
    password = office.settles("an")
    there = browser.logs_in("an", password, next="/insights/figures")
    assert (there.status_code, there.headers["location"]) == (303, "/insights/figures")
    assert browser.opens("/staff/password").status_code == 200
    assert office.log("login") == [("an", "login")]


def test_the_cookie_is_out_of_reach_for_scripts_other_sites_and_plain_http(browser: Browser, office: Office) -> None:
    cookie = browser.logs_in("an", office.settles("an")).headers["set-cookie"].split("__Host-loa-form")[0].lower()
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= {part.strip(" ,") for part in cookie.split(";")}
    assert "domain" not in cookie


def test_the_database_holds_neither_password_nor_token(browser: Browser, office: Office) -> None:
    password = office.settles("an")
    browser.logs_in("an", password)
    token = browser.http.cookies["__Host-loa-staff"]
    everything = str([office.rows(f"SELECT * FROM {t}") for t in ("operators", "staff_sessions", "login_failures", "audit_log")])
    assert password not in everything
    assert token not in everything
    assert office.rows("SELECT password_hash FROM operators")[0]["password_hash"].startswith("$argon2id$")


@pytest.mark.parametrize(("name", "is_there"), [("an", True), ("nobody", False), ("An Nguyễn", False), ("x" * 5000, False)])
def test_a_wrong_password_and_an_unknown_name_look_alike(browser: Browser, office: Office, name: str, is_there: bool) -> None:
    office.settles("an")
    refused = browser.logs_in(name, "wrong")
    assert (refused.status_code, reasons(refused)) == (401, ["login_wrong"])
    assert "__Host-loa-staff" not in browser.http.cookies


@pytest.mark.parametrize("name", ["an", "nobody"])
def test_a_name_is_locked_after_five_wrong_passwords_whether_it_exists_or_not(
    browser: Browser, office: Office, name: str
) -> None:
    password = office.settles("an")
    for _ in range(LOCK_FAILURES):
        assert browser.logs_in(name, "wrong").status_code == 401
    locked = browser.logs_in(name, password)
    assert (locked.status_code, reasons(locked)) == (429, ["login_locked"])


def test_a_lock_opens_by_itself_and_by_a_reset(browser: Browser, office: Office) -> None:
    password = office.settles("an")
    for _ in range(LOCK_FAILURES):
        browser.logs_in("an", "wrong")
    office.rows("UPDATE login_failures SET at = at - make_interval(mins => %s)", LOCK_MINUTES)
    assert browser.logs_in("an", password).status_code == 303
    for _ in range(LOCK_FAILURES):
        browser.logs_in("an", "wrong")
    new = office.does(lambda connection: reset(connection, "an", "test"))
    assert browser.logs_in("an", new).status_code == 303


def test_a_login_forgets_the_wrong_tries_before_it(browser: Browser, office: Office) -> None:
    password = office.settles("an")
    for _ in range(2):
        for _ in range(LOCK_FAILURES - 1):
            browser.logs_in("an", "wrong")
        assert browser.logs_in("an", password).status_code == 303


def test_a_hundred_tries_at_once_are_a_hundred_tries(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []

    async def slow(_: object, password: str) -> bool:
        looked_at.append(password)
        await asyncio.sleep(0.05)
        return False

    monkeypatch.setattr(passwords, "matches", slow)

    async def all_at_once() -> list[object]:
        async with open_pool(office.url) as pool:
            return await asyncio.gather(*(login(pool, "an", str(n), None) for n in range(100)), return_exceptions=True)

    refused = asyncio.run(all_at_once())
    assert len(looked_at) == LOCK_FAILURES
    assert {error.reason for error in refused if isinstance(error, LoginRefused)} == {"login_wrong", "login_locked"}


def test_one_address_cannot_go_through_all_names(server: Server, office: Office) -> None:
    password = office.settles("an")
    office.rows(
        "INSERT INTO login_failures (name, address) SELECT 'n' || n, '203.0.113.7' FROM generate_series(1, %s) n",
        MOST_FAILURES_OF_ADDRESS,
    )
    assert reasons(server.visitor().logs_in("an", password)) == ["login_too_many"]
    assert server.visitor(("203.0.113.8", 1)).logs_in("an", password).status_code == 303


def test_a_disabled_account_is_out_at_once(browser: Browser, office: Office) -> None:
    password = office.settles("an")
    browser.logs_in("an", password)
    office.does(lambda connection: disable(connection, "an", "test"))
    assert browser.opens("/staff/password").headers["location"].startswith("/staff/login?next=/staff/password")
    assert reasons(browser.logs_in("an", password)) == ["login_wrong"]


@pytest.mark.parametrize(("column", "interval"), [("last_seen_at", "31 minutes"), ("started_at", "12 hours 1 minute")])
def test_a_session_ends_by_idleness_and_by_age(browser: Browser, office: Office, column: str, interval: str) -> None:
    browser.logs_in("an", office.settles("an"))
    office.rows(f"UPDATE staff_sessions SET {column} = now() - interval '{interval}'")
    gone = browser.opens("/staff/password")
    assert gone.headers["location"] == "/staff/login?next=/staff/password&over=1"
    assert reasons(browser.opens(gone.headers["location"])) == ["session_over"]


def test_a_form_after_the_session_leads_to_a_page_that_can_be_opened(browser: Browser, office: Office) -> None:
    browser.logs_in("an", office.settles("an"))
    office.rows("UPDATE staff_sessions SET last_seen_at = now() - interval '31 minutes'")
    gone = browser.http.post("/staff/totp/offer", data={"csrf": "x"})
    assert (gone.status_code, re.findall(r"next=([^\"&]+)", gone.text)) == (401, ["/staff/start"])


def test_work_keeps_a_session_alive(browser: Browser, office: Office) -> None:
    browser.logs_in("an", office.settles("an"))
    office.rows("UPDATE staff_sessions SET last_seen_at = now() - interval '29 minutes'")
    assert browser.opens("/staff/password").status_code == 200
    assert office.rows("SELECT now() - last_seen_at < interval '1 minute' AS seen FROM staff_sessions") == [{"seen": True}]


def test_logging_out_ends_this_session_or_all(server: Server, browser: Browser, office: Office) -> None:
    password = office.settles("an")
    browser.logs_in("an", password)
    phone = server.visitor()
    phone.logs_in("an", password)
    assert browser.sends("/staff/logout", "/staff/password").status_code == 303
    assert browser.opens("/staff/password").status_code == 303
    assert phone.opens("/staff/password").status_code == 200
    browser.logs_in("an", password)
    browser.sends("/staff/logout", "/staff/password", everywhere="1")
    assert phone.opens("/staff/password").status_code == 303
    assert office.rows("SELECT * FROM staff_sessions") == []


def test_a_copied_cookie_is_worth_nothing_after_the_logout(browser: Browser, office: Office) -> None:
    browser.logs_in("an", office.settles("an"))
    token = browser.http.cookies["__Host-loa-staff"]
    browser.sends("/staff/logout", "/staff/password")
    assert browser.opens("/staff/password", headers={"Cookie": f"__Host-loa-staff={token}"}).status_code == 303


# ---- forms


@pytest.mark.parametrize("csrf", ["", "0" * 64, "é"])
def test_a_form_without_this_sessions_token_does_nothing(browser: Browser, office: Office, csrf: str) -> None:
    browser.logs_in("an", office.settles("an"))
    refused = browser.http.post("/staff/logout", data={"csrf": csrf})
    assert (refused.status_code, reasons(refused)) == (403, ["form_not_ours"])
    assert browser.opens("/staff/password").status_code == 200


def test_the_token_of_one_session_is_not_that_of_another(server: Server, browser: Browser, office: Office) -> None:
    browser.logs_in("an", office.settles("an"))
    other = server.visitor()
    other.logs_in("binh", office.settles("binh"))
    assert browser.http.post("/staff/logout", data={"csrf": other.csrf("/staff/password")}).status_code == 403


def test_a_foreign_site_cannot_log_somebody_in(browser: Browser, office: Office) -> None:
    password = office.settles("an")
    without_cookie = browser.http.post("/staff/login", data={"name": "an", "password": password})
    assert (without_cookie.status_code, reasons(without_cookie)) == (403, ["cookie_missing"])
    browser.opens("/staff/login")
    assert reasons(browser.http.post("/staff/login", data={"name": "an", "password": password, "csrf": "0"})) == ["form_not_ours"]
    assert office.log("login") == []


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org",
        "//example.org",
        "/\\example.org",
        "/%2Fexample.org",
        "javascript:alert(1)",
        "/webchat",
        "/insights/..//x",
    ],
)
def test_a_login_never_leads_out_of_the_house(browser: Browser, office: Office, address: str) -> None:
    there = browser.logs_in("an", office.settles("an"), next=address)
    assert there.headers["location"] == "/staff/start"


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"name=%ff%fe&csrf=1", "application/x-www-form-urlencoded", 400),
        (b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"no parts", "multipart/form-data", 400),
        (b"--b\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b", 400),
        ("tên=é".encode(), "application/x-www-form-urlencoded", 400),
    ],
)
def test_a_body_that_is_no_form_gets_a_sentence(browser: Browser, content: bytes, media_type: str, status: int) -> None:
    browser.opens("/staff/login")
    refused = browser.http.post("/staff/login", content=content, headers={"Content-Type": media_type})
    assert (refused.status_code, reasons(refused)) == (status, ["form_unreadable"])


def test_what_was_typed_comes_back_escaped(browser: Browser) -> None:
    page = browser.logs_in('"><script>alert(1)</script>', "x").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_pages_let_no_script_in_and_are_kept_nowhere(browser: Browser) -> None:
    headers = browser.opens("/staff/login").headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"


# ---- passwords


def test_a_first_password_opens_nothing_but_its_change(server: Server, browser: Browser, office: Office) -> None:
    first = office.adds("an")
    assert browser.logs_in("an", first).status_code == 303
    changed = browser.sends("/staff/password", old=first, new=OWN_PASSWORD, again=OWN_PASSWORD)
    assert changed.headers["location"] == "/staff/start"
    assert browser.opens("/staff/password").status_code == 200
    assert reasons(server.visitor().logs_in("an", first)) == ["login_wrong"]
    assert office.log("password_changed") == [("an", "password_changed")]


def test_a_changed_password_ends_the_sessions_elsewhere(server: Server, browser: Browser, office: Office) -> None:
    password = office.settles("an")
    phone = server.visitor()
    phone.logs_in("an", password)
    browser.logs_in("an", password)
    browser.sends("/staff/password", old=password, new=OWN_PASSWORD, again=OWN_PASSWORD)
    assert browser.opens("/staff/password").status_code == 200
    assert phone.opens("/staff/password").status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "again", "reason"),
    [
        ("", "một hai ba bốn năm", "khác", "password_differs"),
        ("wrong", "một hai ba bốn năm", "một hai ba bốn năm", "password_old_wrong"),
        ("", "ngắn quá", "ngắn quá", "password_too_short"),
        ("", "a" * 12, "a" * 12, "password_too_easy"),
        ("", "mật khẩu của an1", "mật khẩu của an1", "password_too_easy"),
        ("", "dài " * 100, "dài " * 100, "password_too_long"),
        ("", "", "", "password_is_old"),
    ],
)
def test_a_weak_or_mistyped_password_is_refused(
    browser: Browser, office: Office, old: str, new: str, again: str, reason: str
) -> None:
    password = office.settles("an1")
    browser.logs_in("an1", password)
    refused = browser.sends("/staff/password", old=old or password, new=new or password, again=again or password)
    assert (refused.status_code, reasons(refused)) == (422, [reason])
    assert office.log("password_changed") == []


def test_the_old_password_cannot_be_guessed_from_an_open_browser(browser: Browser, office: Office) -> None:
    browser.logs_in("an", office.settles("an"))
    for _ in range(LOCK_FAILURES):
        browser.sends("/staff/password", old="wrong", new=OWN_PASSWORD, again=OWN_PASSWORD)
    assert reasons(browser.sends("/staff/password", old="wrong", new=OWN_PASSWORD, again=OWN_PASSWORD)) == ["login_locked"]


def test_letters_typed_in_two_ways_are_one_password() -> None:
    composed, decomposed = "m\u1ed9t hai ba b\u1ed1n", "mo\u0323\u0302t hai ba bo\u0302\u0301n"

    async def is_one() -> bool:
        return await passwords.matches(await passwords.hashed(composed), decomposed)

    assert asyncio.run(is_one())


def test_a_password_costs_a_guesser_memory_and_time(real_passwords: None) -> None:
    made = asyncio.run(passwords.hashed(OWN_PASSWORD))
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert asyncio.run(passwords.matches(made, OWN_PASSWORD))


def test_an_unknown_name_costs_as_much_as_a_known_one(real_passwords: None) -> None:
    def seconds(password_hash: str | None) -> float:
        start = time.process_time()
        assert not asyncio.run(passwords.matches(password_hash, "wrong"))
        return time.process_time() - start

    made = asyncio.run(passwords.hashed(OWN_PASSWORD))
    seconds(None)  # the first makes the hash of nobody
    known, unknown = (min(seconds(password_hash) for _ in range(3)) for password_hash in (made, None))
    assert 1 / 3 < known / unknown < 3


def test_first_passwords_are_long_random_and_readable() -> None:
    made = {passwords.generated() for _ in range(200)}
    assert len(made) == 200
    assert all(len(password) == 19 and not set(password) & set("01ilo") for password in made)


# ---- accounts and the log


def test_an_account_is_made_once_and_listed(office: Office) -> None:
    office.adds("an", "senior")
    with pytest.raises(AccountError, match="exists already"):
        office.adds("an")
    with pytest.raises(AccountError, match="is no account name"):
        office.adds("An Nguyễn")
    with pytest.raises(AccountError, match="there is no account"):
        office.does(lambda connection: reset(connection, "nobody", "test"))
    listed = office.does(lambda connection: accounts(connection, LOCK_MINUTES, LOCK_FAILURES))
    assert [(account.name, account.role, account.must_change_password, account.is_locked) for account in listed] == [
        ("an", "senior", True, False)
    ]


def test_a_reset_opens_a_closed_account_and_may_change_its_role(browser: Browser, office: Office) -> None:
    office.settles("an")
    office.does(lambda connection: disable(connection, "an", "test"))
    new = office.does(lambda connection: reset(connection, "an", "shell:root", "admin"))
    assert browser.logs_in("an", new).status_code == 303
    assert office.rows("SELECT role FROM operators") == [{"role": "admin"}]
    assert office.log("operator_added", "operator_disabled", "operator_reset")[-1] == ("shell:root", "operator_reset")


@pytest.mark.parametrize("change", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"])
def test_the_log_cannot_be_changed(office: Office, change: str) -> None:
    office.adds("an")
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        office.rows(change)
    assert office.log("operator_added") == [("test", "operator_added")]


def test_without_its_database_the_login_page_says_so(office: Office) -> None:
    lost = Browser(application(office.url))  # the pool is never opened
    answer = lost.logs_in("an", "x")
    assert (answer.status_code, reasons(answer)) == (503, ["database_away"])


@pytest.mark.parametrize(("role", "room"), [("operator", "/desk"), ("senior", "/desk"), ("content", "/insights")])
def test_a_login_leads_everybody_to_their_first_room(browser: Browser, office: Office, role: Role, room: str) -> None:
    browser.carries(office.hires("an", role))
    assert browser.opens("/staff/start").headers["location"] == room
