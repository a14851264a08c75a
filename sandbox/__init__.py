"""Stand-ins for the vendors, over real HTTP, so that the production adapters and the vendors' own client libraries
run unchanged in the demo and in the tests.

Three servers on loopback: the fal queue with its media files (TLS), OpenAI's ``/v1/responses`` and
``/v1/moderations`` (plain HTTP), and a control API with the webhook keys. See ``docs/sandbox.md``.
"""

from sandbox.control import SandboxControl
from sandbox.options import SandboxOptions
from sandbox.server import Sandbox, running_sandbox

__all__ = ["Sandbox", "SandboxControl", "SandboxOptions", "running_sandbox"]
