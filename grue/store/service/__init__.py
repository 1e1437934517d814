"""What is born in the database: accounts, submissions, the queue of jobs, and decisions of hosts."""
