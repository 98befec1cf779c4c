#include "runner/writer.h"

static int put(struct writer *writer, const struct buf *text, int64_t rows, struct fault *fault)
{
	writer->bytes += (int64_t)text->len;
	return writer->section->provider->write(writer->storage, text->data, text->len, rows,
						fault);
}

/* Once, in front of all records. */
static int add_head(struct writer *writer, const struct buf *header, struct buf *text,
		    struct fault *fault)
{
	const struct provider *provider = writer->section->provider;
	bool first = !writer->headed && header->len > 0;

	if (!writer->opened && !writer->resumed)
		buf_adds(text, writer->section->format->open);
	writer->opened = true;
	writer->headed = writer->headed || first;
	if (first && provider->head != NULL)
		return provider->head(writer->storage, header->data, header->len, fault);
	if (first && !writer->resumed)
		buf_add(text, header->data, header->len);
	return 0;
}

int writer_add(struct writer *writer, const struct buf *header, const struct buf *records,
	       int64_t rows, struct fault *fault)
{
	const struct format *format = writer->section->format;
	auto_buf struct buf text = BUF_INIT(SIZE_MAX / 2);
	bool any = records->len > 0;

	if (add_head(writer, header, &text, fault) < 0)
		return -1;
	if (any && (writer->wrote || writer->resumed) && !format->lines)
		buf_adds(&text, format->between);
	buf_add(&text, records->data, records->len);
	if (any && format->lines)
		buf_adds(&text, format->between);
	writer->wrote = writer->wrote || any;
	return put(writer, &text, rows, fault);
}

int writer_end(struct writer *writer, struct fault *fault)
{
	auto_buf struct buf text = BUF_INIT(64);

	buf_adds(&text, writer->section->format->close);
	return text.len > 0 ? put(writer, &text, 0, fault) : 0;
}
