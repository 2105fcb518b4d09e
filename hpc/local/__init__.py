"""This machine as a cluster: a preloaded fork server and a scheduler in the launcher.

`executor` decides what runs when, `client` speaks to the server process, `server` forks one child per rank,
`child` is what the child does, `parent_death` ties each process's life to its parent's. The plan's state is
on disk only, so killing any of the processes loses nothing but the work in hand.
"""
