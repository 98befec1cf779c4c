/*
 * What an S3 server may answer to a listing. A page that is taken has whole objects; one that is
 * refused says why; and what the scanner finds fits the limits of its header.
 */
#include "base/utf8.h"
#include "runner/s3_list.h"
#include "runner/xml.h"
#include "spec/fuzz/parts/fuzz.h"

static void scan(const char *text, size_t len)
{
	auto_xml struct xml x;
	enum xml_token token;
	size_t opened = 0, closed = 0;

	xml_init(&x, text, len);
	while ((token = xml_next(&x)) == XML_OPEN || token == XML_CLOSE) {
		opened += token == XML_OPEN;
		closed += token == XML_CLOSE;
		promise(x.path.len > 0 && x.path.len < (XML_NAME_MAX + 1) * XML_DEPTH_MAX);
		promise(utf8_valid(x.text.data, x.text.len) && strlen(x.text.data) == x.text.len);
	}
	promise(closed <= opened);
	promise(token == XML_ERROR ? x.problem != NULL : opened == closed && opened > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	auto_s3_list struct s3_list list = {.count = 0};
	auto_free char *text = xstrndup((const char *)bytes, len);
	struct err err = ERR_INIT;

	if (s3_list_page(text, strlen(text), &list, &err) < 0)
		promise(err.kind != ERR_NONE && utf8_valid(err.msg, strlen(err.msg)));
	else
		promise(list.next == NULL || *list.next != '\0');
	for (size_t i = 0; i < list.count; i++)
		promise(*list.objects[i].key != '\0' && list.objects[i].size >= 0);
	scan((const char *)bytes, len);
	return 0;
}
