#!/usr/bin/env node
/** The command `mini-kafka`. */
import { runCommandLine } from './command-line/command-line.ts'
import { processTerminal } from './command-line/terminal.ts'

process.exitCode = await runCommandLine(processTerminal(), process.argv.slice(2))
