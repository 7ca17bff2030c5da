"""Everything is broken on purpose, and a recorded history is checked afterwards.

`make chaos` runs real processes (Redis with its append-only file, two workers, the bot, the stand-in for Discord) under
a steady load of paintings, breaks one thing after the other, and prints what came of it.

    cluster.py   the processes, each started anew when it ends, as a supervisor would
    forced.py    faults inside of a process, ordered by files: to die at a boundary, a full store, a clock that is off
    load.py      members who ask for paintings, and what they were promised
    rounds/      the faults
    history.py   what is checked in the end
    run.py       one run: load, rounds, history, and the table
"""
