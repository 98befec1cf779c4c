/* Any bytes as a contract: what is refused says why, what is accepted is whole. */
#include "base/log.h"
#include "base/utf8.h"
#include "runner/contract.h"
#include "spec/fuzz/parts/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	auto_contract struct contract contract = {0};
	struct err err = ERR_INIT;

	log_setup(LOG_ERROR, LOG_JSON);
	if (contract_parse((const char *)bytes, len, &contract, &err) < 0) {
		promise(err.kind != ERR_NONE && err.msg[0] != '\0');
		promise(utf8_valid(err.msg, strlen(err.msg)));
		promise(contract.root == NULL);
		return 0;
	}
	promise(contract.input.provider != NULL && contract.output.provider != NULL);
	promise(contract.input.format != NULL && contract.output.format != NULL);
	promise(contract.model.url != NULL && contract.model.protocol != NULL);
	promise(contract_run_key(&contract) != NULL);
	return 0;
}
