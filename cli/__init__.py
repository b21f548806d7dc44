"""The command line: runs on a laptop, and looks at and steers a platform that is deployed."""
