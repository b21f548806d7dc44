"""The console: one web page on this machine over a platform, local or on AWS."""
