"""The MCP server: what the house's own assistants look things up with, over the API and under its keys."""
