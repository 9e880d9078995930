import ArgumentParser

package struct LoginCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Stores a service's address and a key for it.",
        discussion: """
            The key is BURN_KEY where that is set, else it is asked for without showing it, or read from standard \
            input where that is no terminal. It is never an argument: those are visible to other users. The file \
            ~/.config/burn/credentials.json can be read by its owner alone.
            """)

    @Argument(help: "Such as https://burn.example.org.")
    package var url: String

    @Flag(help: "The service needs no key.")
    package var withoutKey = false

    @Flag(help: "Allow http:// to another machine: the key is then visible on the way.")
    package var allowPlainHttp = false

    package init() {}
}

package struct LogoutCommand: ClientProgramCommand {
    package static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Forgets the stored address and key.")

    package init() {}
}
