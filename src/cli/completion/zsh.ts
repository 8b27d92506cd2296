import { kindText } from './bash.ts';
import { allCommands, type CommandNode } from './tree.ts';

/** The same for zsh, with what each word is for. */
export function zshScript(tree: CommandNode): string {
  return `#compdef stigmem-peerd
# zsh completion of stigmem-peerd: stigmem-peerd completion zsh > ~/.zfunc/_stigmem-peerd (a folder of fpath, before compinit)
_stigmem_peerd_table() {
  subs=() opts=() args=()
  case "$1" in
${allCommands(tree).map(commandArm).join('\n')}
  esac
}

_stigmem_peerd_value() {
  case "$1" in
${allCommands(tree).flatMap(valueArms).join('\n')}
    *) return 1 ;;
  esac
}

_stigmem_peerd_offer() {
  case "$1" in
    any) _message 'a value' ;;
    file) _files ;;
    folder) _files -/ ;;
    peer)
      local -a names
      names=("$data"/peers/*.toml(N:t:r))
      compadd -a names
      ;;
    *) compadd -- \${=1} ;;
  esac
}

_stigmem_peerd() {
  local cmd='' data="\${STIGMEM_PEERD_DATA:-}" word before='' wanted=''
  local -a subs opts args
  integer i pos=0
  _stigmem_peerd_table ''
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    if [[ -n $before ]]; then
      [[ $before == --data ]] && data="$word"
      before=''
    elif [[ $word == -* ]]; then
      _stigmem_peerd_value "$cmd $word" && before="$word"
    elif ((\${subs[(I)$word:*]})); then
      cmd="\${cmd:+$cmd }$word"
      _stigmem_peerd_table "$cmd"
    else
      ((pos++))
    fi
  done
  if [[ -n $before ]]; then
    _stigmem_peerd_value "$cmd $before"
    _stigmem_peerd_offer "$wanted"
  elif [[ "\${words[CURRENT]}" == -* ]]; then
    _describe -o option opts
  elif ((\${#subs})); then
    _describe command subs
  elif ((pos < \${#args})); then
    _stigmem_peerd_offer "\${args[pos + 1]}"
  fi
}

if [[ \${zsh_eval_context[-1]} == loadautofunc ]]; then _stigmem_peerd "$@"; else compdef _stigmem_peerd stigmem-peerd; fi
`;
}

function commandArm({ path, commands, options, arguments: args }: CommandNode): string {
  const subs = commands.map(({ name, summary }) => described(name, summary)).join(' ');
  const flags = options.flatMap((option) => option.flags.map((flag) => described(flag, option.description))).join(' ');
  const kinds = args.map(({ values }) => `'${kindText(values)}'`).join(' ');
  return `    '${path}') subs=(${subs}) opts=(${flags}) args=(${kinds}) ;;`;
}

function valueArms({ path, options }: CommandNode): readonly string[] {
  return options.flatMap(({ flags, values }) =>
    values === null ? [] : flags.map((flag) => `    '${path} ${flag}') wanted='${kindText(values)}' ;;`),
  );
}

/** \`word:what it is for\`, in quotation marks. */
function described(word: string, what: string): string {
  return `'${word}:${what.replaceAll("'", "'\\''").replaceAll('\n', ' ')}'`;
}
