"""The master: decides which task goes where and keeps what is not yet delivered."""
