/** A fault of the machine or of how a command was used: told to the person as its one line, without a stack, exit code 1. */
export class LocalFault extends Error {}
