"""The leaderboard: pages made from run directories."""
