"""Words for members, and members' words made harmless."""
