"""/staff/people: who has an account, in which role, and who was here last; an administrator changes, logs out, closes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.database import DictConnection, Pool
from bot.staff import accounts
from bot.staff.accounts import ROLES, AccountError, Role
from bot.staff.door import Door, StaffRoute, Visit
from bot.staff.layout import Layout, redirect
from bot.staff.login import LOCK_FAILURES, LOCK_MINUTES
from bot.staff.sessions import Rules

PAGE = "/staff/people"
ADMIN: tuple[Role, ...] = ("admin",)

Work = Callable[[DictConnection], Awaitable[None]]


class PeoplePage:
    """Accounts are made and reset on the server (`loa operator`): a page shows no password."""

    def __init__(self, pool: Pool, layout: Layout, door: Door, rules: Rules) -> None:
        self._pool, self._layout, self._door, self._rules = pool, layout, door, rules

    def routes(self) -> list[BaseRoute]:
        return [
            StaffRoute(PAGE, self.show, self._door, ADMIN),
            StaffRoute(f"{PAGE}/{{name}}/role", self.set_role, self._door, ADMIN, "POST"),
            StaffRoute(f"{PAGE}/{{name}}/approval", self.set_approval, self._door, ADMIN, "POST"),
            StaffRoute(f"{PAGE}/{{name}}/sessions", self.end_sessions, self._door, ADMIN, "POST"),
            StaffRoute(f"{PAGE}/{{name}}/disable", self.disable, self._door, ADMIN, "POST"),
        ]

    async def show(self, visit: Visit) -> Response:
        return await self._page(visit)

    async def set_role(self, visit: Visit) -> Response:
        role = next((role for role in ROLES if role == visit.form["role"]), None)
        if role is None:
            return await self._page(visit, "role_unknown", 422)
        return await self._change(visit, "role", lambda c: accounts.set_role(c, _name(visit), role, visit.person.name))

    async def set_approval(self, visit: Visit) -> Response:
        needed = visit.form["needed"] == "1"
        return await self._change(
            visit, "approval", lambda c: accounts.set_needs_approval(c, _name(visit), visit.person.name, needed=needed)
        )

    async def end_sessions(self, visit: Visit) -> Response:
        return await self._change(visit, "sessions", lambda c: accounts.end_sessions(c, _name(visit), visit.person.name))

    async def disable(self, visit: Visit) -> Response:
        return await self._change(visit, "disabled", lambda c: accounts.disable(c, _name(visit), visit.person.name))

    async def _change(self, visit: Visit, done: str, change: Work) -> Response:
        """Nobody changes their own account here: the last administrator could shut everybody out."""
        if _name(visit) == visit.person.name:
            return await self._page(visit, "own_account", 409)
        try:
            async with self._pool.connection() as connection:
                await change(connection)
        except AccountError:
            return await self._page(visit, "nobody", 404)
        return redirect(f"{PAGE}?done={done}")

    async def _page(self, visit: Visit, refused: str = "", status: int = 200) -> Response:
        async with self._pool.connection() as connection:
            found = await accounts.accounts(connection, LOCK_MINUTES, LOCK_FAILURES, self._rules.idle)
        said: Mapping[str, str] = self._layout.words["people_done"]
        values = {
            "accounts": sorted(found, key=lambda account: (account.is_disabled, account.name)),
            "roles": ROLES,
            "refused": refused,
            "done": said.get(visit.request.query_params.get("done", ""), ""),
            "demanded": self._rules.totp_roles,
        }
        return self._layout.page(visit.request, "people.html", visit.person, visit.csrf, values, status)


def _name(visit: Visit) -> str:
    return str(visit.request.path_params["name"])
