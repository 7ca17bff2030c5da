"""When each open job will begin and end, and when somebody who was refused may ask again."""
