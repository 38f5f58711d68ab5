"""The HTTP service: `POST /seal-recognition` and `GET /health` as clients of the PaddleX serving know them, and what running it takes."""
