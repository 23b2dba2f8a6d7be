"""What several tests share: data, networks, terminals, and ways to wait."""
