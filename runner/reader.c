#include "runner/reader.h"

enum { FEED_MAX = 2 * ROW_MAX };

static struct decoder *decoder_of(const struct section *section)
{
	return section->format->decoder_new(section->settings);
}

void reader_init(struct reader *reader, const struct section *section, struct storage *storage)
{
	*reader = (struct reader){.section = section,
				  .storage = storage,
				  .decoder = decoder_of(section),
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

/* All of a part has been read: the next one begins, or the input has ended. */
static int go_on(struct reader *reader, struct fault *fault)
{
	const struct section *section = reader->section;
	int rc = section->provider->next_part != NULL
		     ? section->provider->next_part(reader->storage, fault)
		     : 0;

	if (rc <= 0) {
		reader->ended = rc == 0;
		return rc;
	}
	section->format->decoder_free(reader->decoder);
	reader->decoder = decoder_of(section);
	reader->feed.last = false;
	return 0;
}

/* A message of the format does not know what it has read. */
static int in_part(const struct reader *reader, struct fault *fault)
{
	const struct provider *provider = reader->section->provider;

	if (provider->part_name != NULL)
		err_wrap(&fault->err, "%s", provider->part_name(reader->storage));
	return -1;
}

int reader_fill(struct reader *reader, struct rows *rows, size_t max_rows, size_t max_bytes,
		struct fault *fault)
{
	while (!reader->ended && rows->count < max_rows && rows->text.len < max_bytes) {
		int rc = reader->section->format->next(reader->decoder, &reader->feed, rows, fault);

		if (rc < 0)
			return in_part(reader, fault);
		if (rc == 0)
			rc = reader->feed.last ? go_on(reader, fault) : pull(reader, fault);
		if (rc < 0)
			return -1;
	}
	return 0;
}
