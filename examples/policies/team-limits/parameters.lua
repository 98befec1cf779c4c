-- Keeps the runs of a team to its tables, its time and its memory; see teams.lua.

local defaults = require "default/parameters"
local teams = require "teams"

local function team_of(namespace)
  for name, team in pairs(teams) do
    for _, one in ipairs(team.namespaces) do
      if one == namespace then
        return name, team
      end
    end
  end
end

-- The memory limit of the runner, as the config writes it.
local function memory_of(config)
  local template = config.spec.podTemplate or {}
  for _, container in ipairs((template.spec or {}).containers or {}) do
    if container.name == "inference" then
      return ((container.resources or {}).limits or {}).memory
    end
  end
end

local function validate(parameters, run, config)
  local violations = defaults.validate(parameters, run, config)
  local function refuse(field, message, ...)
    violations[#violations + 1] = { field = field, message = message:format(...) }
  end

  local name, team = team_of(run.metadata.namespace)
  if not team then
    reject("no team has the namespace " .. run.metadata.namespace .. "; ask for it to be added to teams.lua")
  end
  for _, field in ipairs { "input_table_name", "output_table_name" } do
    local given = (parameters or {})[field]
    if given and given:sub(1, #team.tables) ~= team.tables then
      refuse("spec.parameters." .. field, "expected a table of team %s, %s..., found %s", name,
        team.tables, given)
    end
  end
  local seconds = run.spec.timeoutSeconds
  if not seconds or seconds > duration.parse(team.runs) then
    refuse("spec.timeoutSeconds", "expected at most %d (%s), found %s", duration.parse(team.runs),
      team.runs, seconds and duration.format(seconds) or "no limit")
  end
  local memory = memory_of(config)
  if memory and quantity.parse(memory) > quantity.parse(team.memory) then
    refuse("spec.configRef", "expected a config with at most %s of memory for team %s, found %s",
      team.memory, name, memory)
  end
  return violations
end

return { validate = validate }
