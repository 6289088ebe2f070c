#!/usr/bin/env node
/** The program `agentopsd`. */
import { commandLine } from './command-line.js';

process.exit(await commandLine(process.argv.slice(2)));
