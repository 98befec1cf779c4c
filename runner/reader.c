#include "runner/reader.h"

enum { FEED_MAX = 2 * ROW_MAX };

void reader_init(struct reader *reader, const struct section *section, struct storage *storage)
{
	*reader = (struct reader){.section = section,
				  .storage = storage,
				  .decoder = section->format->decoder_new(section->settings),
				  .feed = {.bytes = BUF_INIT(FEED_MAX)}};
}

void reader_done(struct reader *reader)
{
	if (reader->decoder != NULL)
		reader->section->format->decoder_free(reader->decoder);
	buf_done(&reader->feed.bytes);
}

/* Get more bytes behind those that are not read yet. */
static int pull(struct reader *reader, struct fault *fault)
{
	struct feed *feed = &reader->feed;
	size_t before;

	buf_consume(&feed->bytes, feed->at);
	feed->at = 0;
	before = feed->bytes.len;
	if (reader->section->provider->read(reader->storage, &feed->bytes, fault) < 0)
		return -1;
	if (feed->bytes.full)
		return fault_set(fault, REASON_INPUT_INVALID, ERR_LIMIT,
				 "the input: expected rows of at most %d bytes, found a longer one",
				 ROW_MAX);
	feed->last = feed->bytes.len == before;
	reader->bytes += (int64_t)(feed->bytes.len - before);
	return 0;
}

int reader_fill(struct reader *reader, struct rows *rows, size_t max_rows, size_t max_bytes,
		struct fault *fault)
{
	while (!reader->ended && rows->count < max_rows && rows->text.len < max_bytes) {
		int rc = reader->section->format->next(reader->decoder, &reader->feed, rows, fault);

		if (rc < 0)
			return -1;
		if (rc == 0 && reader->feed.last)
			reader->ended = true;
		else if (rc == 0 && pull(reader, fault) < 0)
			return -1;
	}
	return 0;
}
