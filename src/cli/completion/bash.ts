import { PEER_NAME } from '../../config/peer-file.ts';
import { allCommands, type CommandNode, type Values } from './tree.ts';

/**
 * A script for bash: tables of this program's commands, and a walk over the words typed so far. Nothing of ours is started
 * for a TAB; names of peers are read from the data folder.
 */
export function bashScript(tree: CommandNode): string {
  return `# bash completion of stigmem-peerd: source <(stigmem-peerd completion bash)
_stigmem_peerd_table() {
  subs='' opts='' args=''
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
  local name named='${PEER_NAME.source}'
  case "$1" in
    any) return ;;
    file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    folder) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    peer)
      # compgen -W expands its words: what a file's name says would run.
      local LC_ALL=C
      for name in "$data"/peers/*.toml; do
        name=\${name##*/} name=\${name%.toml}
        if [[ $name =~ $named && $name != self && $name == "$cur"* ]]; then COMPREPLY+=("$name"); fi
      done
      ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur") ;;
  esac
}

_stigmem_peerd() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path='' data=\${STIGMEM_PEERD_DATA:-} word before='' wanted='' subs opts args i pos=0
  COMPREPLY=()
  _stigmem_peerd_table ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $before ]]; then
      [[ $before == --data ]] && data=$word
      before=''
    elif [[ $word == -* ]]; then
      _stigmem_peerd_value "$path $word" && before=$word
    elif [[ " $subs " == *" $word "* ]]; then
      path="\${path:+$path }$word"
      _stigmem_peerd_table "$path"
    else
      pos=$((pos + 1))
    fi
  done
  if [[ -n $before ]]; then
    _stigmem_peerd_value "$path $before"
    _stigmem_peerd_offer "$wanted"
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$opts" -- "$cur")
  elif [[ -n $subs ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$subs" -- "$cur")
  else
    local -a kinds
    IFS='|' read -r -a kinds <<< "$args"
    if ((pos < \${#kinds[@]})); then _stigmem_peerd_offer "\${kinds[pos]}"; fi
  fi
}

complete -o filenames -F _stigmem_peerd stigmem-peerd
`;
}

function commandArm({ path, commands, options, arguments: args }: CommandNode): string {
  const subs = commands.map(({ name }) => name).join(' ');
  const flags = options.flatMap((option) => option.flags).join(' ');
  const kinds = args.map(({ values }) => kindText(values)).join('|');
  return `    '${path}') subs='${subs}' opts='${flags}' args='${kinds}' ;;`;
}

/** Sets \`wanted\`; a plain flag is not there, and takes no value. */
function valueArms({ path, options }: CommandNode): readonly string[] {
  return options.flatMap(({ flags, values }) =>
    values === null ? [] : flags.map((flag) => `    '${path} ${flag}') wanted='${kindText(values)}' ;;`),
  );
}

/** A kind, or the choices themselves: none of them has a blank or a quotation mark. */
export function kindText(values: Values): string {
  return values.kind === 'choices' ? values.choices.join(' ') : values.kind;
}
