-- What the specs of a policy have covered and what its hooks cost, a helper for busted:
--
--   cd DIR && busted --lua=lua5.4 --helper=kserve.report --pattern=_spec .
--
-- DIR holds the policies that the specs load with policy.load ".". At the end it prints for each
-- hook the most that one call has used, and for each file how many of its lines with code have run,
-- and which have not. If less than COVERAGE percent (environment; 80) of all lines have run it ends
-- with status 1. Nothing is rounded up: 99.99 is not 100.

local policy = require "kserve.policy"
local busted = require "busted"

local HOOKS = { "validate", "contract", "shape", "status" }

-- ---- lines with code ----
--
-- Lua tells the lines of a function that it can get hold of; one that is never made it cannot. So
-- they are read from what string.dump writes (lua 5.4, ldump.c).

local function reader(dump)
  local at = 1
  local read = {}

  function read.skip(bytes)
    at = at + bytes
  end

  function read.byte()
    at = at + 1
    return dump:byte(at - 1)
  end

  -- Seven bits a byte, the highest first; the last byte has its top bit set.
  function read.size()
    local value = 0
    repeat
      local byte = read.byte()
      value = value << 7 | byte & 0x7f
    until byte & 0x80 ~= 0
    return value
  end

  function read.skip_string()
    local size = read.size() -- with one more, so that 0 is none
    read.skip(size > 0 and size - 1 or 0)
  end

  function read.each(skip_one)
    for _ = 1, read.size() do
      skip_one()
    end
  end

  function read.instruction()
    at = at + 4
    return (string.unpack("<I4", dump, at - 4))
  end

  return read
end

local BYTES_OF_CONSTANT = { [0x03] = 8, [0x13] = 8 } -- integer, float
local STRING = { [0x04] = true, [0x14] = true } -- short, long
local TAILCALL, VARARGPREP = 69, 81
local ABSOLUTE = -128

local read_function

-- Of the code the instructions that never run as a line of their own: the one that takes variable
-- parameters, the return behind a tail call, and the one that Lua adds to the end of each function.
local function read_code(read)
  local count, passed_over = read.size(), {}
  for i = 1, count do
    local operation = read.instruction() & 0x7f
    if operation == VARARGPREP then
      passed_over[i] = true
    elseif operation == TAILCALL then
      passed_over[i + 1] = true
    end
  end
  passed_over[count] = true
  return passed_over
end

local function skip_constants(read)
  read.each(function()
    local type = read.byte()
    if STRING[type] then
      read.skip_string()
    else
      read.skip(BYTES_OF_CONSTANT[type] or 0)
    end
  end)
end

local function read_lines(read, lines, line, passed_over)
  local steps, absolute = {}, {}
  read.each(function()
    steps[#steps + 1] = string.unpack("b", string.char(read.byte()))
  end)
  read.each(function()
    local instruction = read.size()
    absolute[instruction + 1] = read.size()
  end)
  for i, step in ipairs(steps) do
    line = step == ABSOLUTE and absolute[i] or line + step
    if not passed_over[i] then
      lines[line] = true
    end
  end
end

function read_function(read, lines)
  read.skip_string() -- the source
  local line = read.size()
  read.size() -- the line of its end
  read.skip(3) -- parameters, variable ones, size of the stack
  local passed_over = read_code(read)
  skip_constants(read)
  read.each(function() read.skip(3) end) -- upvalues
  read.each(function() read_function(read, lines) end)
  read_lines(read, lines, line, passed_over)
  read.each(function() -- names of variables
    read.skip_string()
    read.size()
    read.size()
  end)
  read.each(read.skip_string) -- names of upvalues
end

local report = {}

-- The set of the lines of a text that have code; of one that is not Lua, the first.
function report.code_lines(text)
  local chunk = load(text, "=policy", "t")
  if not chunk then
    return { true }
  end
  local lines = {}
  local read = reader(string.dump(chunk))
  read.skip(4 + 1 + 1 + 6 + 3 + 8 + 8 + 1) -- ldump.c, dumpHeader(), and the count of upvalues
  read_function(read, lines)
  return lines
end

-- ---- figures ----

-- "3, 7-9" of a sorted list.
function report.ranges(numbers)
  local parts, first = {}, 1
  for i, number in ipairs(numbers) do
    if numbers[i + 1] ~= number + 1 then
      local from = numbers[first]
      parts[#parts + 1] = from == number and tostring(from) or from .. "-" .. number
      first = i + 1
    end
  end
  return table.concat(parts, ", ")
end

-- Two digits behind the point, cut off.
function report.percent(part, whole)
  if whole == 0 then
    return "100.00"
  end
  local hundredths = part * 10000 // whole
  return ("%d.%02d"):format(hundredths // 100, hundredths % 100)
end

-- Is that part of the lines at least so many percent?
function report.enough(run, lines, threshold)
  return run * 100 >= threshold * lines
end

-- How many lines have code, how many of them have run, which have not.
function report.measure(text, covered)
  local count, missing = 0, {}
  for line in pairs(report.code_lines(text)) do
    count = count + 1
    if not covered[line] then
      missing[#missing + 1] = line
    end
  end
  table.sort(missing)
  return count, count - #missing, missing
end

local function print_cost(write)
  local greatest = policy.greatest()
  write("hook       instructions  of the limit       memory  of the limit")
  for _, hook in ipairs(HOOKS) do
    local used = greatest[hook]
    if used and used.memory then
      write(("%-10s %12d  %10s %%  %7d KiB  %10s %%"):format(hook, used.instructions,
        report.percent(used.instructions, policy.limits.instructions),
        used.memory // 1024 + 1, report.percent(used.memory, policy.limits.memory)))
    end
  end
end

-- Returns how many lines have code and how many of them have run.
local function print_coverage(write, files)
  local names, lines, run = {}, 0, 0
  for name in pairs(files) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local count, covered, missing =
      report.measure(files[name], policy.covered(name, files[name]))
    lines, run = lines + count, run + covered
    write(("%-24s %5d of %5d lines  %6s %%%s"):format(name, covered, count,
      report.percent(covered, count), #missing > 0 and "  not run: " .. report.ranges(missing) or ""))
  end
  return lines, run
end

-- Whether enough has run.
function report.print(write, files, threshold)
  print_cost(write)
  local lines, run = print_coverage(write, files)
  local enough = report.enough(run, lines, threshold)
  write(("coverage %s %%, expected at least %s %%: %s"):format(report.percent(run, lines), threshold,
    enough and "ok" or "too little"))
  return enough
end

local function write_line(text)
  io.stdout:write("# ", text, "\n")
end

-- The environment's threshold, or nil if it is none.
local function threshold_of(text)
  local value = tonumber(text or 80)
  return value and value >= 0 and value <= 100 and value
end

local threshold = threshold_of(os.getenv "COVERAGE")
if not threshold then
  io.stderr:write(("COVERAGE: expected a number of percent, found '%s'\n"):format(
    os.getenv "COVERAGE"))
  os.exit(2, true)
end
policy.coverage(true)
busted.subscribe({ "exit" }, function()
  if not report.print(write_line, policy.files ".", threshold) then
    os.exit(1, true)
  end
  return nil, true
end)

return report
