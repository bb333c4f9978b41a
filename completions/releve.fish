# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_releve_global_optspecs
    string join \n db= config= meter= tz= lang= color= q/quiet v/verbose h/help V/version
end

function __fish_releve_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_releve_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_releve_using_subcommand
    set -l cmd (__fish_releve_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c releve -n "__fish_releve_needs_command" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_needs_command" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_needs_command" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_needs_command" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_needs_command" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_needs_command" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_needs_command" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_needs_command" -s V -l version -d 'Print version'
complete -c releve -n "__fish_releve_needs_command" -f -a "ports" -d 'List the serial ports: what is plugged in, and whether it is free'
complete -c releve -n "__fish_releve_needs_command" -f -a "read" -d 'Read a meter, or the readings of a file or of standard input'
complete -c releve -n "__fish_releve_needs_command" -f -a "log" -d 'Keep reading meters into the store'
complete -c releve -n "__fish_releve_needs_command" -f -a "explain" -d 'Take a capture apart: what each byte means, where it goes wrong'
complete -c releve -n "__fish_releve_needs_command" -f -a "obis" -d 'Look up OBIS codes by number or by name'
complete -c releve -n "__fish_releve_needs_command" -f -a "import" -d 'Take readings from captures, archives, the old database, CSV'
complete -c releve -n "__fish_releve_needs_command" -f -a "export" -d 'Write readings of the store as JSON, CSV and more'
complete -c releve -n "__fish_releve_needs_command" -f -a "stats" -d 'Energies, power and voltages by hour, day, week, month or year'
complete -c releve -n "__fish_releve_needs_command" -f -a "events" -d 'List what happened, or say what did'
complete -c releve -n "__fish_releve_needs_command" -f -a "check" -d 'Say whether readings come in, for monitoring'
complete -c releve -n "__fish_releve_needs_command" -f -a "consolidate" -d 'Write what is complete into the archive, prune the store'
complete -c releve -n "__fish_releve_needs_command" -f -a "serve" -d 'Serve the API and a dashboard to browsers'
complete -c releve -n "__fish_releve_needs_command" -f -a "doctor" -d 'Find out why it does not work'
complete -c releve -n "__fish_releve_needs_command" -f -a "config" -d 'Show and check the settings'
complete -c releve -n "__fish_releve_needs_command" -f -a "simulate" -d 'Play a meter on a pseudo terminal, a TCP port or into a file'
complete -c releve -n "__fish_releve_needs_command" -f -a "meters" -d 'List meters and the segments of their counters, correct them'
complete -c releve -n "__fish_releve_needs_command" -f -a "db" -d 'Check, describe, copy or compact the store'
complete -c releve -n "__fish_releve_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c releve -n "__fish_releve_needs_command" -f -a "man" -d 'Write the manual pages, one for each command, into a folder'
complete -c releve -n "__fish_releve_needs_command" -f -a "help" -d 'Explain a command, or an error by its id'
complete -c releve -n "__fish_releve_using_subcommand ports" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'An array of objects'
ndjson\t'An object a line'"
complete -c releve -n "__fish_releve_using_subcommand ports" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand ports" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand ports" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand ports" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand ports" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand ports" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand ports" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand ports" -l name-only -d 'Only the paths, one a line'
complete -c releve -n "__fish_releve_using_subcommand ports" -l fail-empty -d 'End with 1 if there is no port'
complete -c releve -n "__fish_releve_using_subcommand ports" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand ports" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand ports" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand read" -l since -d 'From when on: 2d, yesterday, 2025-11-07, "2025-11-07 14:30", 2025-W45 and more' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l until -d 'Until when: a bare day, week or month reaches its end, a time is exclusive' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l obis -d 'Only these registers, like 1.8.0 or 1-0:32.7.0' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l keep-raw -d 'With --save: also keep the raw bytes in the store for so long, like 30d, for `db redecode`' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l capture -d 'Also keep the raw bytes in a file, for later replay' -r -F
complete -c releve -n "__fish_releve_using_subcommand read" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'One object for one reading, an array for several'
ndjson\t'An object a line, as they come'
csv\t'A row a register'
influx\t'InfluxDB line protocol'
prometheus\t'Prometheus text format, the newest reading of each meter'"
complete -c releve -n "__fish_releve_using_subcommand read" -s p -l port -d 'A device, tcp://HOST:PORT or rfc2217://HOST:PORT [default: the only one]' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l protocol -d 'The protocol [default: found out]' -r -f -a "auto\t'Find out from the bytes'
iec62056-21\t'IEC 62056-21'
dlms\t'DLMS/COSEM'
dsmr\t'DSMR P1'
sml\t'SML'"
complete -c releve -n "__fish_releve_using_subcommand read" -l serial -d 'Speed and character format, like 9600,8N1 [default: found out]' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l mode -d 'The mode of IEC 62056-21, or push for a meter that sends by itself [default: found out]' -r -f -a "a\t'Request, then data at 300 baud'
b\t'Request, then data at a speed the meter chooses'
c\t'Request, then data at a speed both agree on'
d\t'The meter sends by itself, as text'
e\t'Request, then DLMS'
push\t'The meter sends by itself'
hdlc\t'DLMS from the start, without a request before'"
complete -c releve -n "__fish_releve_using_subcommand read" -l address -d 'The meter\'s address in the request, on a bus with several' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l timeout -d 'How long to wait for a meter that says something that cannot be read' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l key-file -d 'The file with the keys of enciphered telegrams' -r -F
complete -c releve -n "__fish_releve_using_subcommand read" -l password-file -d 'The file with the password, for meters that ask for one' -r -F
complete -c releve -n "__fish_releve_using_subcommand read" -l push-list -d 'What the values of a push without OBIS codes mean' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l client -d 'DLMS: the client\'s address; 16 is the public client' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l server -d 'DLMS: the server\'s address, logical or logical/physical, like 1 or 1/17 [default: the usual ones are tried]' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l security -d 'DLMS: how to prove who we are [default: low with --password-file, else public]' -r -f -a "public\t'Not at all'
low\t'With a password'
high\t'With answers to challenges (GMAC), by the two keys of the key file'
ciphered\t'The same, and everything enciphered'"
complete -c releve -n "__fish_releve_using_subcommand read" -l system-title -d 'DLMS: our own system title, 16 hex digits, where the meter insists on one' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand read" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand read" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand read" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand read" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand read" -l profile -d 'The meter\'s load profile over a period instead of its registers'
complete -c releve -n "__fish_releve_using_subcommand read" -l log -d 'The meter\'s own event log over a period instead of its registers'
complete -c releve -n "__fish_releve_using_subcommand read" -l save -d 'Also keep the readings in the store'
complete -c releve -n "__fish_releve_using_subcommand read" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand read" -l fail-empty -d 'End with 1 if there is no reading, or none of the registers asked for'
complete -c releve -n "__fish_releve_using_subcommand read" -l wake-up -d 'Wake a battery meter before the request'
complete -c releve -n "__fish_releve_using_subcommand read" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand read" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand read" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand log" -l interval -d 'Keep one reading an interval; ask meters that do not send by themselves this often' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l commit -d 'Write in groups: a power cut loses no more than came in this time' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l archive -d 'Write each hour and day into this archive when it is over' -r -F
complete -c releve -n "__fish_releve_using_subcommand log" -l print -d 'Also print each reading that is kept, a line each' -r -f -a "ndjson\t'An object a line'"
complete -c releve -n "__fish_releve_using_subcommand log" -l mqtt -d 'Also publish readings to this MQTT broker, for Home Assistant and others: mqtt://HOST:PORT' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l count -d 'End after so many readings' -r
complete -c releve -n "__fish_releve_using_subcommand log" -s p -l port -d 'A device, tcp://HOST:PORT or rfc2217://HOST:PORT [default: the only one]' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l protocol -d 'The protocol [default: found out]' -r -f -a "auto\t'Find out from the bytes'
iec62056-21\t'IEC 62056-21'
dlms\t'DLMS/COSEM'
dsmr\t'DSMR P1'
sml\t'SML'"
complete -c releve -n "__fish_releve_using_subcommand log" -l serial -d 'Speed and character format, like 9600,8N1 [default: found out]' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l mode -d 'The mode of IEC 62056-21, or push for a meter that sends by itself [default: found out]' -r -f -a "a\t'Request, then data at 300 baud'
b\t'Request, then data at a speed the meter chooses'
c\t'Request, then data at a speed both agree on'
d\t'The meter sends by itself, as text'
e\t'Request, then DLMS'
push\t'The meter sends by itself'
hdlc\t'DLMS from the start, without a request before'"
complete -c releve -n "__fish_releve_using_subcommand log" -l address -d 'The meter\'s address in the request, on a bus with several' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l timeout -d 'How long to wait for a meter that says something that cannot be read' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l key-file -d 'The file with the keys of enciphered telegrams' -r -F
complete -c releve -n "__fish_releve_using_subcommand log" -l password-file -d 'The file with the password, for meters that ask for one' -r -F
complete -c releve -n "__fish_releve_using_subcommand log" -l push-list -d 'What the values of a push without OBIS codes mean' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l client -d 'DLMS: the client\'s address; 16 is the public client' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l server -d 'DLMS: the server\'s address, logical or logical/physical, like 1 or 1/17 [default: the usual ones are tried]' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l security -d 'DLMS: how to prove who we are [default: low with --password-file, else public]' -r -f -a "public\t'Not at all'
low\t'With a password'
high\t'With answers to challenges (GMAC), by the two keys of the key file'
ciphered\t'The same, and everything enciphered'"
complete -c releve -n "__fish_releve_using_subcommand log" -l system-title -d 'DLMS: our own system title, 16 hex digits, where the meter insists on one' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand log" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand log" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand log" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand log" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand log" -l wake-up -d 'Wake a battery meter before the request'
complete -c releve -n "__fish_releve_using_subcommand log" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand log" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand explain" -l key-file -d 'The file with the keys of enciphered telegrams' -r -F
complete -c releve -n "__fish_releve_using_subcommand explain" -s f -l format -d 'How to print' -r -f -a "table\t'Offset, bytes, meaning'
json\t'An array of objects'"
complete -c releve -n "__fish_releve_using_subcommand explain" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand explain" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand explain" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand explain" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand explain" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand explain" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand explain" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand explain" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand explain" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand obis" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'An array of objects'"
complete -c releve -n "__fish_releve_using_subcommand obis" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand obis" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand obis" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand obis" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand obis" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand obis" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand obis" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand obis" -l fail-empty -d 'End with 1 if nothing is found'
complete -c releve -n "__fish_releve_using_subcommand obis" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand obis" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand obis" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand import" -l key-file -d 'The file with the keys of enciphered captures' -r -F
complete -c releve -n "__fish_releve_using_subcommand import" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand import" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand import" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand import" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand import" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand import" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand import" -l why -d 'Say why each reading was refused'
complete -c releve -n "__fish_releve_using_subcommand import" -l events -d 'Also find events in what was added, as `events detect` would'
complete -c releve -n "__fish_releve_using_subcommand import" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand import" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand export" -l since -d 'From when on: 2d, yesterday, 2025-11-07, "2025-11-07 14:30", 2025-W45 and more' -r
complete -c releve -n "__fish_releve_using_subcommand export" -l until -d 'Until when: a bare day, week or month reaches its end, a time is exclusive' -r
complete -c releve -n "__fish_releve_using_subcommand export" -l by -d 'Means and counters for each step instead of every reading; days are those of the time zone' -r -f -a "15m\t'A quarter of an hour'
1h\t'An hour'
1d\t'A day'"
complete -c releve -n "__fish_releve_using_subcommand export" -s f -l format -d 'How to write' -r -f -a "json\t'The form of an archive\'s day file, over any period'
ndjson\t'A reading a line'
csv\t'A row a reading, a column a key'
history\t'The form of an archive\'s month file: quarters of an hour, unless --by says otherwise'
influx\t'InfluxDB line protocol'
sqlite\t'The SQLite file of the application before this one; needs -o'"
complete -c releve -n "__fish_releve_using_subcommand export" -l fields -d 'Only these keys, in this order: columns or codes like 1-0:5.8.0' -r
complete -c releve -n "__fish_releve_using_subcommand export" -s o -l output -d 'Into a file, which gets its name when it is whole; .gz packs it' -r -F
complete -c releve -n "__fish_releve_using_subcommand export" -l archive -d 'Write the archive\'s short files of the last days instead' -r -F
complete -c releve -n "__fish_releve_using_subcommand export" -l days -d 'How many days of them, today included' -r
complete -c releve -n "__fish_releve_using_subcommand export" -l from-archive -d 'The archive to read where the store was pruned [default: the one of the settings]' -r -F
complete -c releve -n "__fish_releve_using_subcommand export" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand export" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand export" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand export" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand export" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand export" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand export" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand export" -l compact -d 'Those without indentation'
complete -c releve -n "__fish_releve_using_subcommand export" -l fail-empty -d 'End with 1 if there is no reading'
complete -c releve -n "__fish_releve_using_subcommand export" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand export" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand stats" -l since -d 'From when on: 2d, yesterday, 2025-11-07, "2025-11-07 14:30", 2025-W45 and more' -r
complete -c releve -n "__fish_releve_using_subcommand stats" -l until -d 'Until when: a bare day, week or month reaches its end, a time is exclusive' -r
complete -c releve -n "__fish_releve_using_subcommand stats" -l by -d 'The length of a row [default: what fits the span]; days are those of the time zone' -r -f -a "hour\t'Full hours'
day\t'Days from midnight to midnight'
week\t'ISO weeks, from Monday on'
month\t'Months'
year\t'Years'"
complete -c releve -n "__fish_releve_using_subcommand stats" -l fields -d 'Only these, in this order: energie_active_import, couverture, tension, demande_15min_max and more' -r
complete -c releve -n "__fish_releve_using_subcommand stats" -l versus -d 'Compare the whole with another period: 2024-11, "last month", 2024-11-01..2024-11-15' -r
complete -c releve -n "__fish_releve_using_subcommand stats" -s f -l format -d 'How to write [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people, with bars'
json\t'One document, a row a line'
csv\t'A row a period'"
complete -c releve -n "__fish_releve_using_subcommand stats" -l archive -d 'The archive to read where the store was pruned [default: that of the settings]' -r -F
complete -c releve -n "__fish_releve_using_subcommand stats" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand stats" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand stats" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand stats" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand stats" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand stats" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand stats" -l curve -d 'The duration curve: which power is reached how much of the time'
complete -c releve -n "__fish_releve_using_subcommand stats" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand stats" -l all -d 'All rows, also on a terminal'
complete -c releve -n "__fish_releve_using_subcommand stats" -l ascii -d 'Bars of plain characters; so by default in a pipe and where the locale is not UTF-8'
complete -c releve -n "__fish_releve_using_subcommand stats" -l fail-empty -d 'End with 1 if there is no reading'
complete -c releve -n "__fish_releve_using_subcommand stats" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand stats" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l since -d 'From when on: 2d, yesterday, 2025-11-07, "2025-11-07 14:30", 2025-W45 and more' -r
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l until -d 'Until when: a bare day, week or month reaches its end, a time is exclusive' -r
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l severity -d 'Of this severity; several with commas' -r -f -a "info\t'Nothing to do'
warning\t'Out of bounds'
error\t'Supply or measurement is defective'
critical\t'Danger, fraud, or data lost'"
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l type -d 'Of this kind, like surtension or its word in the table; several with commas' -r
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l search -d 'With all these words in the description' -r
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l limit -d 'No more than so many, the newest' -r
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people, the severity as a word'
json\t'One object, as the API answers'
ndjson\t'An object a line'
csv\t'A row an event'"
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l exec -d 'With --follow: run a command for each new one, its JSON on standard input' -r
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l follow -d 'Go on with new ones as they come'
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -l fail-empty -d 'End with 1 if there is none'
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -f -a "add" -d 'Say what you saw: an outage, work on the installation'
complete -c releve -n "__fish_releve_using_subcommand events; and not __fish_seen_subcommand_from add detect" -f -a "detect" -d 'Find events again in the stored readings, by the rules that hold now'
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -l at -d 'When it began' -r
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -l until -d 'When it was over' -r
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -l type -d 'Of which kind, like coupure' -r
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -l severity -d 'How much it matters' -r -f -a "info\t'Nothing to do'
warning\t'Out of bounds'
error\t'Supply or measurement is defective'
critical\t'Danger, fraud, or data lost'"
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from detect" -l since -d 'Only events that began since then; all without it' -r
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from detect" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from detect" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from detect" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from detect" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from detect" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from detect" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from detect" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from detect" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from detect" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from detect" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand events; and __fish_seen_subcommand_from detect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand check" -l max-age -d 'How old the last reading may be' -r
complete -c releve -n "__fish_releve_using_subcommand check" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c releve -n "__fish_releve_using_subcommand check" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand check" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand check" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand check" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand check" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand check" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand check" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand check" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand check" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l archive -d 'The folder of the archive, made if it is not there [default: the one of the settings]' -r -F
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l day -d 'Only this UTC day, complete or not: a date, today or yesterday' -r
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l week -d 'Only this week: 2025-W45' -r
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l month -d 'Only this month: 2025-11' -r
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l since -d 'From when on: 2d, yesterday, 2025-11-07, "2025-11-07 14:30", 2025-W45 and more' -r
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l until -d 'Until when: a bare day, week or month reaches its end, a time is exclusive' -r
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l keep -d 'How long readings stay in the store: 90d, 26w, 18mo, 2y' -r
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l keep-archive -d 'How long files stay in the archive: 10y' -r
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l wait -d 'If another consolidation is going on, wait so long for it to end' -r
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l hours -d 'Hour files of every day, not only of today and yesterday'
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l compact -d 'Without indentation'
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l prune -d 'Take older readings out of the store, once the archive is seen to hold them'
complete -c releve -n "__fish_releve_using_subcommand consolidate" -s n -l dry-run -d 'Tell what would be done, and do nothing'
complete -c releve -n "__fish_releve_using_subcommand consolidate" -l verify -d 'Check every file of the archive instead; the store is not needed'
complete -c releve -n "__fish_releve_using_subcommand consolidate" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand consolidate" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand consolidate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand serve" -l listen -d 'Address and port to listen at; port 0 takes any that is free [default: 127.0.0.1:5000]' -r
complete -c releve -n "__fish_releve_using_subcommand serve" -l token-file -d 'The file with the token that clients have to send' -r -F
complete -c releve -n "__fish_releve_using_subcommand serve" -l host -d 'A name the server may be called by, besides its addresses; again for more' -r
complete -c releve -n "__fish_releve_using_subcommand serve" -l cors -d 'An origin whose pages may ask, like https://example.org; again for more' -r
complete -c releve -n "__fish_releve_using_subcommand serve" -l stale -d '/healthz is 503 when the newest reading is older [default: 15m]' -r
complete -c releve -n "__fish_releve_using_subcommand serve" -l client-timeout -d 'Cut clients off that keep the server waiting for so long [default: 15 to 20 s]' -r
complete -c releve -n "__fish_releve_using_subcommand serve" -l connections -d 'So many connections at once' -r
complete -c releve -n "__fish_releve_using_subcommand serve" -l get -d 'Answer one request, like /api/stats, on stdout and end' -r
complete -c releve -n "__fish_releve_using_subcommand serve" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand serve" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand serve" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand serve" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand serve" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand serve" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand serve" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand serve" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand doctor" -s p -l port -d 'A device, tcp://HOST:PORT or rfc2217://HOST:PORT [default: the only one]' -r
complete -c releve -n "__fish_releve_using_subcommand doctor" -l protocol -d 'The protocol [default: found out]' -r -f -a "auto\t'Find out from the bytes'
iec62056-21\t'IEC 62056-21'
dlms\t'DLMS/COSEM'
dsmr\t'DSMR P1'
sml\t'SML'"
complete -c releve -n "__fish_releve_using_subcommand doctor" -l serial -d 'Speed and character format, like 9600,8N1 [default: found out]' -r
complete -c releve -n "__fish_releve_using_subcommand doctor" -l mode -d 'The mode of IEC 62056-21, or push for a meter that sends by itself [default: found out]' -r -f -a "a\t'Request, then data at 300 baud'
b\t'Request, then data at a speed the meter chooses'
c\t'Request, then data at a speed both agree on'
d\t'The meter sends by itself, as text'
e\t'Request, then DLMS'
push\t'The meter sends by itself'
hdlc\t'DLMS from the start, without a request before'"
complete -c releve -n "__fish_releve_using_subcommand doctor" -l address -d 'The meter\'s address in the request, on a bus with several' -r
complete -c releve -n "__fish_releve_using_subcommand doctor" -l timeout -d 'How long to wait for a meter that says something that cannot be read' -r
complete -c releve -n "__fish_releve_using_subcommand doctor" -l key-file -d 'The file with the keys of enciphered telegrams' -r -F
complete -c releve -n "__fish_releve_using_subcommand doctor" -l password-file -d 'The file with the password, for meters that ask for one' -r -F
complete -c releve -n "__fish_releve_using_subcommand doctor" -l push-list -d 'What the values of a push without OBIS codes mean' -r
complete -c releve -n "__fish_releve_using_subcommand doctor" -l client -d 'DLMS: the client\'s address; 16 is the public client' -r
complete -c releve -n "__fish_releve_using_subcommand doctor" -l server -d 'DLMS: the server\'s address, logical or logical/physical, like 1 or 1/17 [default: the usual ones are tried]' -r
complete -c releve -n "__fish_releve_using_subcommand doctor" -l security -d 'DLMS: how to prove who we are [default: low with --password-file, else public]' -r -f -a "public\t'Not at all'
low\t'With a password'
high\t'With answers to challenges (GMAC), by the two keys of the key file'
ciphered\t'The same, and everything enciphered'"
complete -c releve -n "__fish_releve_using_subcommand doctor" -l system-title -d 'DLMS: our own system title, 16 hex digits, where the meter insists on one' -r
complete -c releve -n "__fish_releve_using_subcommand doctor" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'One object, for a bug report'"
complete -c releve -n "__fish_releve_using_subcommand doctor" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand doctor" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand doctor" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand doctor" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand doctor" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand doctor" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand doctor" -l wake-up -d 'Wake a battery meter before the request'
complete -c releve -n "__fish_releve_using_subcommand doctor" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand doctor" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand doctor" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand config; and not __fish_seen_subcommand_from default show check" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand config; and not __fish_seen_subcommand_from default show check" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand config; and not __fish_seen_subcommand_from default show check" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand config; and not __fish_seen_subcommand_from default show check" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand config; and not __fish_seen_subcommand_from default show check" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand config; and not __fish_seen_subcommand_from default show check" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand config; and not __fish_seen_subcommand_from default show check" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand config; and not __fish_seen_subcommand_from default show check" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand config; and not __fish_seen_subcommand_from default show check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand config; and not __fish_seen_subcommand_from default show check" -f -a "default" -d 'Print a settings file with every key, commented'
complete -c releve -n "__fish_releve_using_subcommand config; and not __fish_seen_subcommand_from default show check" -f -a "show" -d 'Print the settings in force and where each comes from'
complete -c releve -n "__fish_releve_using_subcommand config; and not __fish_seen_subcommand_from default show check" -f -a "check" -d 'Say whether the settings file makes sense'
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from default" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from default" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from default" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from default" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from default" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from default" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from default" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from default" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from default" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from show" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'One object'"
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from show" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from show" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from show" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from show" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from show" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from show" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from show" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from check" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from check" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from check" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from check" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from check" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand simulate" -l link -d 'The same, under a name that stays: a symbolic link' -r -F
complete -c releve -n "__fish_releve_using_subcommand simulate" -l listen -d 'Be a serial bridge: listen on TCP; port 0 takes a free one' -r
complete -c releve -n "__fish_releve_using_subcommand simulate" -s o -l output -d 'Write what the meter sends to a file, - for standard output' -r -F
complete -c releve -n "__fish_releve_using_subcommand simulate" -l bridge -d 'Settings of the bridge\'s serial port, like 9600,8N1 [default: it follows the meter]' -r
complete -c releve -n "__fish_releve_using_subcommand simulate" -l speed -d 'How many times faster than real time, or max: as fast as it is read [default: 1; into a file max]. The line of a meter that is asked keeps its own speed' -r
complete -c releve -n "__fish_releve_using_subcommand simulate" -l start -d 'The simulated time it starts at [default: now]; the meter\'s zone is then --tz, or Central Europe' -r
complete -c releve -n "__fish_releve_using_subcommand simulate" -l seed -d 'The household: the same seed and start give the same bytes' -r
complete -c releve -n "__fish_releve_using_subcommand simulate" -l count -d 'End after so many telegrams' -r
complete -c releve -n "__fish_releve_using_subcommand simulate" -l duration -d 'End after so much simulated time: 90s, 5m, 2h, 1d' -r
complete -c releve -n "__fish_releve_using_subcommand simulate" -l fault -d 'What goes wrong, from when on, how much; see --list; may be repeated' -r
complete -c releve -n "__fish_releve_using_subcommand simulate" -l write-keys -d 'Write the keys of a ciphered meter into a new file, for releve read --key-file' -r -F
complete -c releve -n "__fish_releve_using_subcommand simulate" -l totals -d 'At the end write the counters as JSON into a file, - for standard error' -r -F
complete -c releve -n "__fish_releve_using_subcommand simulate" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand simulate" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand simulate" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand simulate" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand simulate" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand simulate" -l list -d 'List the meters and the faults'
complete -c releve -n "__fish_releve_using_subcommand simulate" -l pty -d 'Be a serial port; its path is printed [default on a terminal, or without an end]'
complete -c releve -n "__fish_releve_using_subcommand simulate" -l any-format -d 'Only mind the reader\'s speed: data bits and parity of most programs cannot be seen on a pseudo terminal'
complete -c releve -n "__fish_releve_using_subcommand simulate" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand simulate" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand simulate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -f -a "segments" -d 'The segments of each counter of a meter'
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -f -a "split" -d 'Begin a segment at a time: the meter was replaced then'
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -f -a "merge" -d 'No segment begins at a time: the counter ran on'
complete -c releve -n "__fish_releve_using_subcommand meters; and not __fish_seen_subcommand_from segments split merge name" -f -a "name" -d 'Give the meter a name for --meter, or take it away'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from segments" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from segments" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from segments" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from segments" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from segments" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from segments" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from segments" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from segments" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from segments" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from segments" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from segments" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from split" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from split" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from split" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from split" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from split" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from split" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from split" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from split" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from split" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from split" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from split" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from merge" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from merge" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from merge" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from merge" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from merge" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from merge" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from merge" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from merge" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from merge" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from merge" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from merge" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from name" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from name" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from name" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from name" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from name" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from name" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from name" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from name" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from name" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from name" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand meters; and __fish_seen_subcommand_from name" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -f -a "check" -d 'Look at every page and every reading'
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -f -a "info" -d 'Say what the store holds'
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -f -a "backup" -d 'Copy the store, also while it is in use; the copy is checked'
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -f -a "compact" -d 'Seal what is over, bring an older store up to date, give back room'
complete -c releve -n "__fish_releve_using_subcommand db; and not __fish_seen_subcommand_from check info backup compact redecode" -f -a "redecode" -d 'Decode the kept raw telegrams again; what comes out otherwise now stands in place of what came out then'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from check" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from check" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from check" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from check" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from check" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from check" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from info" -s f -l format -d 'How to print [default: table on a terminal, json in a pipe]' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from info" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from info" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from info" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from info" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from info" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from info" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from info" -l json -d 'Short for -f json'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from info" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from info" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from backup" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from backup" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from backup" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from backup" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from backup" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from backup" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from backup" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from backup" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from compact" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from compact" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from compact" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from compact" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from compact" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from compact" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from compact" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from compact" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from compact" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from redecode" -l key-file -d 'The file with the keys of enciphered telegrams' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from redecode" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from redecode" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from redecode" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from redecode" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from redecode" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from redecode" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from redecode" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from redecode" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand db; and __fish_seen_subcommand_from redecode" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand completions" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand completions" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand completions" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand completions" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand completions" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand completions" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand completions" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand completions" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand man" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand man" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand man" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand man" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand man" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand man" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand man" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand man" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c releve -n "__fish_releve_using_subcommand help" -l db -d 'The store [default: $XDG_DATA_HOME/releve/releve.db]' -r -F
complete -c releve -n "__fish_releve_using_subcommand help" -l config -d 'The settings file [default: $XDG_CONFIG_HOME/releve/config.toml, then /etc/releve/releve.toml]' -r -F
complete -c releve -n "__fish_releve_using_subcommand help" -l meter -d 'The meter, by its identifier or its alias in the settings' -r
complete -c releve -n "__fish_releve_using_subcommand help" -l tz -d 'The IANA time zone of meter clocks and bare dates [default: the system\'s]' -r
complete -c releve -n "__fish_releve_using_subcommand help" -l lang -d 'The language of what people read: tables, messages [default: the locale\'s]' -r -f -a "en\t'English'
fr\t'Français'
de\t'Deutsch'"
complete -c releve -n "__fish_releve_using_subcommand help" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c releve -n "__fish_releve_using_subcommand help" -s q -l quiet -d 'Say nothing but errors'
complete -c releve -n "__fish_releve_using_subcommand help" -s v -l verbose -d 'Say more on stderr; twice for even more'
complete -c releve -n "__fish_releve_using_subcommand help" -s h -l help -d 'Print help (see more with \'--help\')'
