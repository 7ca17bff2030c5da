"""What a finished painting leaves: its picture, the film, the plot of its losses and the record of the run."""
