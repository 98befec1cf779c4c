-- Run by the controller before it takes these policies.
local function case(namespace, input_table)
  return {
    run = {
      metadata = { namespace = namespace },
      spec = { timeoutSeconds = 600, parameters = { input_table_name = input_table } },
    },
    config = { spec = json.object {} },
  }
end

return {
  { hook = "validate", input = case("green-test", "green_input"), output = {} },
  {
    hook = "validate",
    input = case("blue", "green_input"),
    output = {
      {
        field = "spec.parameters.input_table_name",
        message = "expected a table of team blue, blue_..., found green_input",
      },
    },
  },
  {
    hook = "validate",
    input = case("red", "red_input"),
    error = "no team has the namespace red; ask for it to be added to teams.lua",
  },
}
