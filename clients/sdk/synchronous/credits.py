"""Credits: grants, balances, statements, refunds by hand."""

from __future__ import annotations

from clients.sdk.calls import credits as calls
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

    def get_account(self, user_id: str) -> Account:
        """A user's balance and totals."""
        return self._transport.call(calls.get_account(user_id))

    def list_ledger_entries(
        self, user_id: str, *, page_size: int | None = None, page_token: str | None = None
    ) -> Page[LedgerEntry]:
        """A user's statement, newest first."""
        return self._transport.call(calls.list_ledger_entries(user_id, page_size=page_size, page_token=page_token))

    def refund_generation(self, generation_id: str, reason: str, *, actor: str | None = None) -> Refunded:
        """Gives back what is left of an ended generation's price, once.

        ``actor`` defaults to the token's name. Raises AlreadyRefunded, NothingToRefund, NotEnded. After a lost answer
        the call is made again, and then AlreadyRefunded may tell of the first attempt.
        """
        return self._transport.call(calls.refund_generation(generation_id, reason, actor))
