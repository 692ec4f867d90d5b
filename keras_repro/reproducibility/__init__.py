"""What makes equal runs leave equal bytes."""
