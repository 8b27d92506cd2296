import { allCommands, type CommandNode, type Values } from './tree.ts';

/** The same for fish. */
export function fishScript(tree: CommandNode): string {
  const commands = allCommands(tree);
  const groups = commands.filter((command) => command.commands.length > 0);
  return `# fish completion of stigmem-peerd: stigmem-peerd completion fish > ~/.config/fish/completions/stigmem-peerd.fish
function __stigmem_peerd_subs
  switch "$argv[1]"
${groups.map(({ path, commands: inner }) => `    case '${path}'\n      string split ' ' -- '${inner.map(({ name }) => name).join(' ')}'`).join('\n')}
  end
end

function __stigmem_peerd_valued
  contains -- "$argv[1]" ${valued(commands).join(' ')}
end

# Sets the command typed so far, and how many arguments stand behind it.
function __stigmem_peerd_walk
  set -g __stigmem_peerd_cmd ''
  set -g __stigmem_peerd_pos 0
  set -g __stigmem_peerd_data "$STIGMEM_PEERD_DATA"
  set -l before ''
  for word in (commandline -opc)[2..]
    if test -n "$before"
      test "$before" = --data; and set -g __stigmem_peerd_data "$word"
      set before ''
    else if string match -q -- '-*' "$word"
      if __stigmem_peerd_valued "$__stigmem_peerd_cmd $word"
        set before "$word"
      end
    else if contains -- "$word" (__stigmem_peerd_subs "$__stigmem_peerd_cmd")
      set -g __stigmem_peerd_cmd (string trim -- "$__stigmem_peerd_cmd $word")
    else
      set -g __stigmem_peerd_pos (math $__stigmem_peerd_pos + 1)
    end
  end
end

function __stigmem_peerd_at
  __stigmem_peerd_walk
  test "$__stigmem_peerd_cmd" = "$argv[1]"; and test (count $argv) -lt 2 -o "$__stigmem_peerd_pos" = "$argv[2]"
end

function __stigmem_peerd_peers
  __stigmem_peerd_walk
  for file in $__stigmem_peerd_data/peers/*.toml
    path change-extension '' (path basename $file)
  end
end

complete -c stigmem-peerd -f
${commands.flatMap(linesOf).join('\n')}
`;
}

/** `path --option` of all options that take a value. */
function valued(commands: readonly CommandNode[]): readonly string[] {
  return commands.flatMap(({ path, options }) =>
    options.flatMap(({ flags, values }) => (values === null ? [] : flags.map((flag) => `'${path} ${flag}'`))),
  );
}

function linesOf({ path, commands, options, arguments: args }: CommandNode): readonly string[] {
  const at = `complete -c stigmem-peerd -n '__stigmem_peerd_at "${path}"'`;
  return [
    ...commands.map(({ name, summary }) => `${at} -a ${name} -d ${quoted(summary)}`),
    ...options.map(({ flags, description, values }) => {
      const spelled = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
      return `${at} ${spelled.join(' ')} -d ${quoted(description)}${values === null ? '' : ` ${values.kind === 'file' ? '-r' : '-x'}${offered(values)}`}`;
    }),
    ...args.map(
      ({ values }, i) => `complete -c stigmem-peerd -n '__stigmem_peerd_at "${path}" ${i}'${offered(values)}`,
    ),
  ];
}

function offered(values: Values): string {
  switch (values.kind) {
    case 'choices':
      return ` -a ${quoted(values.choices.join(' '))}`;
    case 'peer':
      return " -a '(__stigmem_peerd_peers)'";
    case 'file':
      return ' -F';
    case 'folder':
      return " -a '(__fish_complete_directories)'";
    case 'any':
      return '';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
