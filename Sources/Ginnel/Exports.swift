// Users import Ginnel alone: endpoints, policies, limits and failures come with it.

@_exported public import GinnelCore
@_exported public import GinnelTransport
