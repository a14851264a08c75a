"""Programs that use Triptych over its API. They import neither the service nor the sandbox."""
