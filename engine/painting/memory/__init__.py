"""What memory a painting may take: whole or in strips, and how freed memory is kept."""
