/**
 * What a server does in one step. KEYS are always the stream, its state, its checkpoints and its side stream, all of one slot;
 * the answer is a list of texts, what became of it first. Whoever waits for records elsewhere is woken by the channel that is
 * called like the stream, which is told the new end; a user who may not publish there (ACL) may append all the same. Offsets are compared as the texts they are, or as doubles, which hold
 * them exactly up to 2^53.
 */
import { createHash } from 'node:crypto'

export interface Script {
  readonly source: string
  readonly sha: string
}

function script(...parts: string[]): Script {
  const source = parts.join('\n')
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/** ARGV[1] is the token: only who opened the stream last goes on. `h` is token, start, end. */
const writer = `local S, state, checkpoints, side = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local h = redis.call('HMGET', state, 'token', 'start', 'end')
if h[1] ~= ARGV[1] then return {'FENCED'} end`

/** The milliseconds of an id, and the base offset that a batch begins with. */
const reading = `local function ms(id) return string.match(id, '^%d+') end
local function base(value)
  local n = 0
  for i = 1, 8 do n = n * 256 + string.byte(value, i) end
  return string.format('%.0f', n)
end
local function has(start, finish) return tonumber(start) < tonumber(finish) end`

const settingBack = `local function setback(floor)
  local top = redis.call('XREVRANGE', S, '+', '-', 'COUNT', 1)[1]
  if top and has(floor, ms(top[1])) then return end
  redis.call('XSETID', S, floor == '0' and '0-1' or floor)
end`

/** ARGV: topic id, broker. Answers token, start, end. */
export const openScript = script(
  reading,
  `local S, state, checkpoints, side = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local h = redis.call('HMGET', state, 'id', 'broker', 'start', 'end')
if h[1] and h[1] ~= ARGV[1] then
  redis.call('DEL', S, state, checkpoints, side)
  h = {}
elseif h[1] and h[2] ~= ARGV[2] then
  return {'TAKEN'}
end
local kind = redis.call('TYPE', S).ok
if kind ~= 'none' and kind ~= 'stream' then return {'DAMAGED', 'the key holds a ' .. kind .. ', no stream'} end
local start, finish = h[3], h[4]
local top = '0-0'
if kind == 'stream' then
  local info = redis.call('XINFO', 'STREAM', S)
  for i = 1, #info, 2 do if info[i] == 'last-generated-id' then top = info[i + 1] end end
end
if not start or not finish then
  start, finish = '0', '0'
  local first = kind == 'stream' and redis.call('XRANGE', S, '-', '+', 'COUNT', 1)[1]
  if first then
    if first[2][1] ~= 'b' or #first[2][2] < 61 then
      return {'DAMAGED', 'it was there before, and its entry ' .. first[1] .. ' is no record batch'}
    end
    start, finish = base(first[2][2]), ms(top)
  elseif kind == 'stream' and top ~= '0-1' then
    start, finish = ms(top), ms(top)
  end
  redis.call('HSET', state, 'id', ARGV[1], 'broker', ARGV[2], 'start', start, 'end', finish)
elseif kind == 'stream' and has(finish, ms(top)) then
  return {'DAMAGED', 'it has been written to by others, behind its end, ' .. finish .. ', up to ' .. top}
elseif has(start, finish) then
  if kind == 'none' then return {'DAMAGED', 'its records up to ' .. finish .. ' are gone: the key was deleted or evicted'} end
  if has(ms(top), finish) then return {'DAMAGED', 'its records from ' .. ms(top) .. ' up to ' .. finish .. ' are gone'} end
end
return {'OK', string.format('%.0f', redis.call('HINCRBY', state, 'token', 1)), start, finish}`,
)

const appending = `local function refusal(expected, mayBegin)
  if h[3] ~= expected then return {'STALE', h[3] or '0'} end
  if mayBegin ~= '1' and redis.call('EXISTS', S) == 0 then
    return {'DAMAGED', 'its records up to ' .. expected .. ' are gone: the key was deleted or evicted'}
  end
end`

/** ARGV: token, expected end, whether the stream may be missing, then id and value of each batch. */
export const appendScript = script(
  writer,
  reading,
  settingBack,
  appending,
  `local refused = refusal(ARGV[2], ARGV[3])
if refused then return refused end
for i = 4, #ARGV, 2 do
  local added = redis.pcall('XADD', S, ARGV[i], 'b', ARGV[i + 1])
  if type(added) == 'table' and added.err then
    if i == 4 and string.find(added.err, '^%u+ ') and not string.find(added.err, '^ERR ') then return redis.error_reply(added.err) end
    for j = 4, i - 2, 2 do redis.call('XDEL', S, ARGV[j]) end
    if i > 4 then setback(ARGV[2]) end
    return {'DAMAGED', 'entry ' .. ARGV[i] .. ' cannot be added: ' .. added.err}
  end
end
redis.call('HSET', state, 'end', ARGV[#ARGV - 1])
redis.pcall('PUBLISH', S, ARGV[#ARGV - 1])
return {'OK'}`,
)

/**
 * The last command of a transaction whose XADDs went before it: takes them back unless they were due. ARGV: token, expected end,
 * whether the stream may be missing, then all ids.
 */
export const commitScript = script(
  `local S, state = KEYS[1], KEYS[2]
local h = redis.call('HMGET', state, 'token', 'start', 'end')`,
  reading,
  settingBack,
  appending,
  `local refused = h[1] ~= ARGV[1] and {'FENCED'} or refusal(ARGV[2], ARGV[3])
if not refused then
  redis.call('HSET', state, 'end', ARGV[#ARGV])
  redis.pcall('PUBLISH', S, ARGV[#ARGV])
  return {'OK'}
end
local added = 0
for i = 4, #ARGV do
  if has(h[3] or '0', ARGV[i]) then added = added + redis.call('XDEL', S, ARGV[i]) end
end
if added == 0 then return refused end
local last = redis.call('XREVRANGE', S, '+', '-', 'COUNT', 1)[1]
if last then setback(h[3] or ms(last[1])) else redis.call('DEL', S) end
return refused`,
)

/** ARGV: token. A write, so that WAIT has something to wait for. */
export const touchScript = script(writer, `redis.call('HSET', state, 'token', h[1])`, `return {'OK'}`)

/** What others added behind the end goes too. ARGV: token, end, end + 1. Answers start and end. */
export const truncateScript = script(
  writer,
  reading,
  `if has(h[3], ARGV[2]) then return {'OK', h[2], h[3]} end
if has(h[2], h[3]) and redis.call('EXISTS', S) == 0 then return {'DAMAGED', 'its records up to ' .. h[3] .. ' are gone: the key was deleted or evicted'} end
while true do
  local page = redis.call('XREVRANGE', S, '+', ARGV[3], 'COUNT', 16)
  if #page == 0 then break end
  for _, entry in ipairs(page) do redis.call('XDEL', S, entry[1]) end
end
local top = redis.call('XREVRANGE', S, '+', '-', 'COUNT', 1)[1]
local finish = top and ms(top[1]) or h[2]
if top then redis.call('XSETID', S, finish) else redis.call('DEL', S) end
redis.call('HSET', state, 'end', finish)
return {'OK', h[2], finish}`,
)

/** ARGV: token, start, start + 1. Answers start and end. */
export const trimScript = script(
  writer,
  reading,
  `if not has(h[2], ARGV[2]) then return {'OK', h[2], h[3]} end
if has(h[2], h[3]) and redis.call('EXISTS', S) == 0 then return {'DAMAGED', 'its records up to ' .. h[3] .. ' are gone: the key was deleted or evicted'} end
redis.call('XTRIM', S, 'MINID', '=', ARGV[3])
local first = redis.call('XRANGE', S, '-', '+', 'COUNT', 1)[1]
local start = first and base(first[2][2]) or h[3]
redis.call('HSET', state, 'start', start)
return {'OK', start, h[3]}`,
)

/** ARGV: token, start. */
export const resetScript = script(
  writer,
  `redis.call('DEL', S, side)
redis.call('HSET', state, 'start', ARGV[2], 'end', ARGV[2])
return {'OK', ARGV[2], ARGV[2]}`,
)

/** ARGV: token, the id to begin with, the id to end with, how many. Into the side stream; answers the last id, if any. */
export const copyScript = script(
  writer,
  reading,
  `local page = redis.call('XRANGE', S, ARGV[2], ARGV[3], 'COUNT', ARGV[4])
for _, entry in ipairs(page) do redis.call('XADD', side, entry[1], unpack(entry[2])) end
return {'OK', #page > 0 and ms(page[#page][1]) or '', tostring(#page)}`,
)

/** ARGV: token; then id and value of each batch, for the side stream. */
export const addScript = script(
  writer,
  `for i = 2, #ARGV, 2 do redis.call('XADD', side, ARGV[i], 'b', ARGV[i + 1]) end
return {'OK'}`,
)

/** ARGV: token, the id from which on entries have not been copied. The side stream takes the place of the stream. */
export const finishScript = script(
  writer,
  reading,
  `local from = ARGV[2]
if has(h[2], h[3]) and redis.call('EXISTS', S) == 0 then return {'DAMAGED', 'its records up to ' .. h[3] .. ' are gone: the key was deleted or evicted'} end
for _, entry in ipairs(redis.call('XRANGE', S, from, '+')) do redis.call('XADD', side, entry[1], unpack(entry[2])) end
if redis.call('EXISTS', side) == 0 then
  redis.call('XADD', side, h[3], 'b', '')
  redis.call('XDEL', side, h[3])
end
redis.call('XSETID', side, h[3])
redis.call('RENAME', side, S)
return {'OK'}`,
)

/** ARGV: token. */
export const clearSideScript = script(writer, `redis.call('DEL', side)`, `return {'OK'}`)

/** ARGV: token, name, bytes. */
export const saveScript = script(writer, `redis.call('HSET', checkpoints, ARGV[2], ARGV[3])`, `return {'OK'}`)

/** ARGV: topic id and broker, each empty for any. */
export const dropScript = script(
  `local h = redis.call('HMGET', KEYS[2], 'id', 'broker')
if h[1] and (ARGV[1] == '' or h[1] == ARGV[1]) and (ARGV[2] == '' or h[2] == ARGV[2]) then
  redis.call('DEL', unpack(KEYS))
end
return {'OK'}`,
)
