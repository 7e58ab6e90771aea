"""Shows the checks of portability a small repository, and listings of symbols, that keep to them and that do not."""

import unittest

from checks import portability, symbols
from test_checks import RepositoryTests


class PortabilityTests(RepositoryTests):
    def test_no_module_of_a_system_is_imported(self):
        self.write("Sources/Ginnel/A.swift", "import Foundation\ninternal import Glibc\n#if canImport(Darwin)\n@preconcurrency import ucrt\nimport func WinSDK.CreateFileW\n#endif\n// import Musl\n")
        self.write("Tests/A.swift", "import Glibc\n")
        self.assertEqual(self.found(portability.system_modules), [f"Sources/Ginnel/A.swift:{line}" for line in (2, 3, 4, 5)])

    def test_the_contract_has_widths(self):
        header = portability.CONTRACT + "a.h"
        self.write(header, "// int\n#define A ((long)1)\nuint32_t f(const char *name, char text[64], size_t count, bool b);  ///< int\ntypedef enum e { A = 1 } e;\nint32_t print(void);\n")
        self.assertEqual(self.found(portability.contract_widths), [])
        self.write(header, "int f(void);\nvoid g(unsigned long a);\nchar c;\nvoid h(char byte);\nstatic inline void i(void) { long x = 1; }\nconst char *const *ok;\n")
        self.assertEqual(self.found(portability.contract_widths), [f"{header}:{line}" for line in (1, 2, 2, 3, 4, 5)])

    def test_descriptors_have_the_contracts_name(self):
        self.write("Sources/GinnelTransport/A.swift", "func a(_ descriptor: Int)\nlet handles: [Int]\nvar descriptors: Int\nfunc b(_ handle: gn_handle)\npublic static func c(_ descriptor: Int)\nfunc d(inheriting inherited: [Int])\n")
        self.assertEqual(self.found(portability.handles_have_their_name), [f"Sources/GinnelTransport/A.swift:{line}" for line in (1, 2, 6)])


class SymbolTests(unittest.TestCase):
    LISTING = "\n".join([
        "b/GinnelCore.build/A.swift.o:                  U $s10GinnelCore1AV", "b/GinnelCore.build/A.swift.o:                  U memcpy",
        "b/GinnelCore.build/A.swift.o:                  U swift_retain", "b/GinnelCore.build/A.swift.o:                  w _swift_stdlib_x",
        "b/GinnelCore.build/A.swift.o:                  U ginnel_crc32c", "nm: a line of its own"])

    def found(self, target, *names):
        listing = "".join(f"b/{target}.build/B.swift.o:                  U {name}\n" for name in names)
        return [use.symbol for use in symbols.strangers(target, symbols.undefined(listing))]

    def test_the_listing_is_read_line_by_line(self):
        self.assertEqual([(use.object, use.symbol) for use in symbols.undefined(self.LISTING)], [
            ("A.swift.o", name) for name in ("$s10GinnelCore1AV", "memcpy", "swift_retain", "_swift_stdlib_x", "ginnel_crc32c")])
        self.assertEqual(list(symbols.strangers("GinnelCore", symbols.undefined(self.LISTING))), [])

    def test_where_names_have_an_underscore_it_is_taken_off(self):
        uses = list(symbols.undefined("a.o: U _memcpy\na.o: U _$s4main\na.o: U _getpid\n", underscored=True))
        self.assertEqual([use.symbol for use in uses], ["memcpy", "$s4main", "getpid"])

    def test_names_of_the_system_are_found(self):
        names = ["socket", "read", "write", "open", "close", "poll", "epoll_wait", "kqueue", "pthread_create", "mmap", "kill", "getpid", "fork", "errno", "clock_gettime", "CreateFileW", "__errno_location", "strerror"]
        for target in symbols.OWN:
            self.assertEqual(self.found(target, *names), sorted(names))

    def test_each_layer_has_its_own_c(self):
        self.assertEqual(self.found("GinnelCore", "gn_random"), ["gn_random"])
        self.assertEqual(self.found("GinnelTransport", "gn_random", "ginnel_crc32"), ["ginnel_crc32"])
        self.assertEqual(self.found("Ginnel", "gn_random"), ["gn_random"])

    def test_swift_declarations_of_foreign_modules_are_found(self):
        self.assertEqual(self.found("GinnelTransport", "$s10Foundation4DataV", "$s5Glibc5errnos5Int32Vvg", "$s10FoundationX", "$s11FoundationsV"), ["$s10Foundation4DataV", "$s10FoundationX", "$s5Glibc5errnos5Int32Vvg"])
        self.assertEqual(self.found("Ginnel", "$s10Foundation4DataV", "$s8Dispatch0A5QueueC", "$s5Glibc6getpids5Int32VyF"), ["$s5Glibc6getpids5Int32VyF"])


if __name__ == "__main__":
    unittest.main()
