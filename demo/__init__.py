"""The main job, shown: starts the sandbox and the service as real processes and is a client of them."""
