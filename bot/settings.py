"""The bot's settings: those that workers have too, the token, and what one member may ask for."""

from __future__ import annotations

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator

from engine.contract.settings import Address, Settings, SettingsError, check_names, explain, parse_address
from engine.process.redaction import hide
from engine.recipe.recipe import MAX_ITERATIONS, MAX_SIZE, MIN_SIZE

_TOKEN = 16
"""Letters that the live page's token must have."""


class BotSettings(Settings):
    """`.env.example` explains each."""

    discord_token: SecretStr
    impasto_max_size: int = Field(default=1024, ge=MIN_SIZE, le=MAX_SIZE)
    impasto_max_iterations: int = Field(default=MAX_ITERATIONS, ge=1, le=MAX_ITERATIONS)

    impasto_user_styles: int = Field(default=10, ge=0)
    impasto_guild_styles: int = Field(default=100, ge=0)

    impasto_page: Address = "off"
    impasto_page_token: SecretStr = Field(default=SecretStr(""), validate_default=True)

    @property
    def page_address(self) -> tuple[str, int] | None:
        """Where the live page is served; None where nowhere."""
        return parse_address(self.impasto_page)

    @field_validator("impasto_page_token")
    @classmethod
    def _is_no_short_secret(cls, token: SecretStr, others: ValidationInfo) -> SecretStr:
        address, letters = parse_address(others.data.get("impasto_page", "off")), len(token.get_secret_value())
        if letters < _TOKEN and (letters or (address and address[0] not in ("127.0.0.1", "::1", "localhost"))):
            raise ValueError(
                f"give it {_TOKEN} letters or more, which nobody guesses, or let IMPASTO_PAGE name a port alone"
            )
        return token

    @field_validator("discord_token")
    @classmethod
    def _is_a_token(cls, token: SecretStr) -> SecretStr:
        text = token.get_secret_value()
        if not text or not text.isascii() or any(c.isspace() for c in text):
            raise ValueError("it is not a bot's token: copy it from the Bot page of Discord's developer portal")
        return token

    def model_post_init(self, context: object, /) -> None:
        """Keep the bot's token and the page's out of logs, besides what all settings keep."""
        super().model_post_init(context)
        hide(self.discord_token.get_secret_value(), self.impasto_page_token.get_secret_value())

    def require_redis(self) -> None:
        """Raises `SettingsError` where there is none to talk to the workers through."""
        if self.redis_url is None:
            raise SettingsError(
                "The setting REDIS_URL is missing: set it to the Redis of your workers, or run `impasto up`, which "
                "brings its own."
            )


class DoctorSettings(BotSettings):
    """The bot's; where only a worker runs there is no token."""

    discord_token: SecretStr = Field(default=SecretStr(""), validate_default=False)


def read_bot_settings(**overrides: object) -> BotSettings:
    """The bot's settings, with `overrides` over the environment's. Raises `SettingsError`."""
    return _read(BotSettings, overrides)


def read_doctor_settings() -> BotSettings:
    """The bot's settings, perhaps without a token. Raises `SettingsError`."""
    return _read(DoctorSettings, {})


def _read(kind: type[BotSettings], overrides: dict[str, object]) -> BotSettings:
    check_names()
    try:
        return kind(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError(explain(error)) from error
