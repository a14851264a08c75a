"""Credits: grants, balances, statements, refunds by hand."""

from __future__ import annotations

from clients.sdk.calls import credits as calls
from clients.sdk.calls.moments import Moment
from clients.sdk.models import Account, LedgerEntry
from clients.sdk.results import Granted, Page, Refunded
from clients.sdk.synchronous.transport import SyncMethods


class SyncCredits(SyncMethods):
    """The methods of ``CreditService``."""

    def grant_credits(
        self, user_id: str, credits: int, *, grant_id: str | None = None, note: str | None = None
    ) -> Granted:
        """Gives credits, once for each ``grant_id`` (a payment's id, say); default a new one."""
        return self._transport.call(calls.grant_credits(user_id, credits, grant_id, note))

    def get_account(self, user_id: str, *, as_of: Moment | None = None) -> Account:
        """A user's balance and totals; ``as_of`` a position or a time, as they were then."""
        return self._transport.call(calls.get_account(user_id, as_of))

    def list_ledger_entries(
        self,
        user_id: str,
        *,
        page_size: int | None = None,
        page_token: str | None = None,
        as_of: Moment | None = None,
    ) -> Page[LedgerEntry]:
        """A user's statement, newest first; with ``as_of`` as it was then."""
        return self._transport.call(
            calls.list_ledger_entries(user_id, as_of, page_size=page_size, page_token=page_token)
        )

    def refund_generation(self, generation_id: str, reason: str, *, actor: str | None = None) -> Refunded:
        """Gives back what is left of an ended generation's price, once.

        ``actor`` defaults to the token's name. Raises AlreadyRefunded, NothingToRefund, NotEnded. After a lost answer
        the call is made again, and then AlreadyRefunded may tell of the first attempt.
        """
        return self._transport.call(calls.refund_generation(generation_id, reason, actor))
