"""What the carrier's tests share."""
