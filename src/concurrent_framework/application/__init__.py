"""What users subclass, and how an application talks to its master."""
