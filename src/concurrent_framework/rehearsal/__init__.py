"""A recorded run, once more in virtual time: with another strategy, scheduler or cluster."""
