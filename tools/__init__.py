"""What developers run: code generation and its checks. No part of the service."""
