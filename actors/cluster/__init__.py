"""Ray: the head node and its agents, and our classes as its actors.

The other importer of Ray is `actors.simulate`: how a run joins a cluster, and its own actors.
"""
