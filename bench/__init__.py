"""What Switchboard costs, as ratios against peers that run beside it."""
