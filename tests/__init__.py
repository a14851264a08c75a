"""The tests. What stands here comes before gRPC is imported by any of them."""

import os

# gRPC hooks into forks, and its hooks crash a copy of a process whose channels are in use. The tests fork only to
# become another program (subprocess, where it switches users), which needs no hooks.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
