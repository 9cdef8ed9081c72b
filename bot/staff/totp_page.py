"""/staff/totp: turn the second factor on with a QR code, get new recovery codes, turn it off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.database import Pool
from bot.staff import totp
from bot.staff.accounts import ROLES
from bot.staff.door import SESSION_COOKIE, TOTP, Door, StaffRoute, Visit
from bot.staff.layout import Layout, redirect
from bot.staff.login import LoginRefused, check_password
from bot.staff.sessions import Rules
from bot.staff.totp import Vault

STATUS = {"login_locked": 429}


class TotpPage:
    """Every change but the confirming code asks for the password: an open browser is not its owner."""

    def __init__(self, pool: Pool, vault: Vault, layout: Layout, door: Door, rules: Rules) -> None:
        self._pool, self._vault, self._layout, self._door, self._rules = pool, vault, layout, door, rules

    def routes(self) -> list[BaseRoute]:
        return [
            StaffRoute(TOTP, self.show, self._door, ROLES),
            StaffRoute(f"{TOTP}/offer", self.offer, self._door, ROLES, "POST"),
            StaffRoute(f"{TOTP}/confirm", self.confirm, self._door, ROLES, "POST"),
            StaffRoute(f"{TOTP}/codes", self.renew, self._door, ROLES, "POST"),
            StaffRoute(f"{TOTP}/off", self.turn_off, self._door, ROLES, "POST"),
        ]

    async def show(self, visit: Visit) -> Response:
        return await self._page(visit)

    async def offer(self, visit: Visit) -> Response:
        if refusal := await self._refusal(visit):
            return refusal
        async with self._pool.connection() as connection:
            await totp.offer(connection, self._vault, visit.person.id)
        return redirect(TOTP)

    async def confirm(self, visit: Visit) -> Response:
        async with self._pool.connection() as connection:
            codes = await totp.confirm(
                connection,
                self._vault,
                visit.person.id,
                visit.person.name,
                visit.form["code"],
                visit.request.cookies[SESSION_COOKIE],
            )
        return self._codes(visit, codes) if codes else await self._page(visit, "code_wrong", 422)

    async def renew(self, visit: Visit) -> Response:
        if refusal := await self._refusal(visit):
            return refusal
        async with self._pool.connection() as connection:
            if not await totp.is_on(connection, visit.person.id):
                return redirect(TOTP)
            return self._codes(visit, await totp.renew_codes(connection, self._vault, visit.person.id, visit.person.name))

    async def turn_off(self, visit: Visit) -> Response:
        if visit.person.role in self._rules.totp_roles:
            return await self._page(visit, "totp_demanded", 403)
        if refusal := await self._refusal(visit):
            return refusal
        async with self._pool.connection() as connection:
            await totp.turn_off(connection, visit.person.id, visit.person.name)
        return redirect(TOTP)

    async def _refusal(self, visit: Visit) -> Response | None:
        try:
            await check_password(self._pool, visit.person, visit.form["password"])
        except LoginRefused as refused:
            return await self._page(visit, refused.reason, STATUS.get(refused.reason, 422))
        return None

    def _codes(self, visit: Visit, codes: list[str]) -> Response:
        return self._layout.page(visit.request, "totp_codes.html", visit.person, visit.csrf, {"codes": codes})

    async def _page(self, visit: Visit, reason: str = "", status: int = 200) -> Response:
        person = visit.person
        async with self._pool.connection() as connection:
            is_on = await totp.is_on(connection, person.id)
            secret = await totp.offered(connection, self._vault, person.id)
            left = await totp.codes_left(connection, person.id)
        values: Mapping[str, Any] = {
            "reason": reason,
            "is_on": is_on,
            "is_demanded": person.role in self._rules.totp_roles,
            "left": left,
            "picture": totp.picture(secret, person.name) if secret else "",
            "spelled": totp.spelled(secret) if secret else "",
        }
        return self._layout.page(visit.request, "totp.html", person, visit.csrf, values, status)
