"""A server of KurrentDB's gRPC protocol, for tests on machines without a KurrentDB.

It speaks the parts that Triptych uses: v2 ``AppendSession``, v1 ``Read`` (streams, ``$all``, subscriptions, filters),
``BatchAppend``, ``Delete``, ``Tombstone``, gossip and server features. Where the protocol's definitions leave room it
does what the server's source does (v25.1.0, compared with v26), and rather the awkward of two permitted things: its
log starts with system events, positions are byte offsets, a live subscriber that lags falls behind after 32 messages,
event ids are not unique. What it does not know it refuses (``UNIMPLEMENTED``) instead of guessing.

    log           records, their places, and the file that keeps them
    checks        may this append happen: expected revisions, tombstones, repeats
    filters       what a filtered reader sees
    subscriptions catching up, live, falling behind, checkpoints
    streams_v1    Read, BatchAppend, Delete, Tombstone
    streams_v2    AppendSession
    errors        how failures look on the wire, in both generations of the protocol
    node          gossip, server features, who may call
    faults        what a test can make it do: not lead, lose answers, report an old version
    server        all of it on a port, in this process; ``process``: as a process of its own
"""

from tests.support.kurrentdb.faults import Faults
from tests.support.kurrentdb.server import KurrentDBServer

__all__ = ["Faults", "KurrentDBServer"]
