"""What the core needs from the world: Protocols and the values they exchange, a file each."""
