#include "runner/chunk.h"

struct chunk *chunk_new(struct rows *rows_taken)
{
	struct chunk *chunk = xcalloc(1, sizeof(*chunk));

	chunk->rows = *rows_taken;
	chunk->body = chunk->records = chunk->header = (struct buf)BUF_INIT(SIZE_MAX / 2);
	chunk->reply = (struct http_reply)HTTP_REPLY_INIT;
	return chunk;
}

void chunk_free(struct chunk *chunk)
{
	rows_done(&chunk->rows);
	buf_done(&chunk->body);
	buf_done(&chunk->records);
	buf_done(&chunk->header);
	http_reply_done(&chunk->reply);
	free(chunk);
}

void chunk_split(struct chunk *chunk)
{
	size_t half = chunk->rows.count / 2;
	struct rows left, right;
	struct chunk *second;

	rows_part(&chunk->rows, 0, half, &left);
	rows_part(&chunk->rows, half, chunk->rows.count - half, &right);
	second = chunk_new(&right);
	second->next = chunk->next;
	chunk->next = second;
	rows_done(&chunk->rows);
	chunk->rows = left;
	chunk->state = CHUNK_READY;
	chunk->tries = chunk->errors_500 = 0;
	chunk_forget(chunk);
}

size_t chunk_weight(const struct chunk *chunk)
{
	return chunk->rows.text.len + chunk->body.len + chunk->reply.body.len + chunk->records.len;
}

void chunk_forget(struct chunk *chunk)
{
	buf_done(&chunk->body);
	http_reply_done(&chunk->reply);
	chunk->body = (struct buf)BUF_INIT(SIZE_MAX / 2);
	chunk->reply = (struct http_reply)HTTP_REPLY_INIT;
}
